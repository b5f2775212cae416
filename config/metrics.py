"""What Prometheus may scrape (/metrics): queues, jobs, workers, what the network does, and how good the models are.

Everything is read from the database and the broker when it is asked for, so it is the same whichever web process
answers. Off until METRICS_TOKEN is set; then only for those who send it.
"""

import hmac
from collections.abc import Iterator

import redis
from django.conf import settings
from django.db.models import Count, Min
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric

from config.errors import body
from config.health import broker
from config.worker_beat import QUEUES, key
from config.worker_meter import COUNTS_KEY, GPU_KEY
from datasets_app.models import Job
from labeling.errors import Unavailable
from modelassist import meter
from modelassist.models import ModelVersion

_COUNTERS = {
    meter.DOCUMENTS: "Documents that the network has read.",
    meter.PIECES: "Word pieces in its batches.",
    meter.PADDED: "The same with padding: the first divided by this is how full batches are.",
    meter.SECONDS: "Seconds that the network took for them.",
    meter.STEPS: "Optimizer steps of trainings and updates.",
}


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """The metrics in Prometheus's text format; 404 while they are off, 401 without the token."""
    if not settings.METRICS_TOKEN:
        raise Http404
    given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if not hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode()):
        answer = body("not_authenticated", "Send the header Authorization: Bearer, with METRICS_TOKEN.", {})
        return JsonResponse(answer, status=401, headers={"WWW-Authenticate": "Bearer"})
    registry = CollectorRegistry()
    registry.register(_Collector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


class _Collector:
    """Asks the database and the broker."""

    def collect(self) -> Iterator[Metric]:
        yield from _of_broker()
        yield from _of_jobs()
        yield from _of_models()


def _of_broker() -> Iterator[Metric]:
    try:
        with broker().pipeline(transaction=False) as pipe:
            for queue in QUEUES:
                pipe.llen(queue)
                pipe.exists(key(queue))
            pipe.hgetall(COUNTS_KEY)
            *pairs, counts = pipe.execute()
        gpus = {name.decode().split(":", 2)[2]: broker().get(name) for name in broker().scan_iter(GPU_KEY.format("*"))}
    except redis.RedisError as error:
        raise Unavailable("The message broker does not answer.") from error
    waiting = GaugeMetricFamily("goldset_queue_length", "Messages that wait for a worker.", labels=["queue"])
    alive = GaugeMetricFamily("goldset_queue_served", "1 where a worker listens to the queue.", labels=["queue"])
    for queue, length, served in zip(QUEUES, pairs[::2], pairs[1::2], strict=True):
        waiting.add_metric([queue], length)
        alive.add_metric([queue], served)
    yield from (waiting, alive)
    for name, words in _COUNTERS.items():
        yield CounterMetricFamily(f"goldset_network_{name}", words, float(counts.get(name.encode(), 0)))
    memory = GaugeMetricFamily("goldset_gpu_memory_bytes", "Held on the GPU, by worker process.", labels=["process"])
    for process, held in gpus.items():
        memory.add_metric([process], int(held or 0))
    yield memory


def _of_jobs() -> Iterator[Metric]:
    jobs = GaugeMetricFamily("goldset_jobs", "Jobs by kind and state.", labels=["kind", "state"])
    for kind, state, count in Job.objects.values_list("kind", "state").order_by().annotate(count=Count("pk")):
        jobs.add_metric([kind, state], count)
    yield jobs
    oldest = Job.objects.filter(state=Job.State.QUEUED).aggregate(waited=Now() - Min("created_at"))["waited"]
    seconds = oldest.total_seconds() if oldest else 0.0
    yield GaugeMetricFamily(
        "goldset_oldest_waiting_job_seconds", "How long the oldest waiting job has waited.", seconds
    )


def _of_models() -> Iterator[Metric]:
    """The last trained model and the one in production of each project."""
    f1 = GaugeMetricFamily("goldset_model_f1", "Entity F1 on held-out documents.", labels=["project", "model"])
    age = GaugeMetricFamily("goldset_model_age_seconds", "Since it was trained.", labels=["project", "model"])
    models = ModelVersion.objects.filter(kind=ModelVersion.Kind.TRAINING, project__trashed_at=None)
    last = models.order_by("project_id", "-number").distinct("project_id")
    now = timezone.now()
    for which, found in (("last", last), ("production", models.filter(state=ModelVersion.State.PRODUCTION))):
        for project, score, made in found.values_list("project__slug", "metrics__micro__f1", "created_at"):
            if score is not None:
                f1.add_metric([project, which], score)
            age.add_metric([project, which], (now - made).total_seconds())
    yield from (f1, age)

"""The network's counts: of this process, and as a real worker publishes them."""

import pytest
import redis
from django.conf import settings

from config.worker_meter import COUNTS_KEY
from labeling.models import Project
from modelassist import meter, preannotate, serving
from modelassist.models import ModelVersion
from tests.modelassist.conftest import add_open
from tests.workers import Worker, wait_for


@pytest.mark.django_db
def test_a_prediction_is_counted_once(project: Project, production: ModelVersion) -> None:
    tagger = serving.tagger_for(production)
    meter.drain()
    list(tagger.predict([["Anna", "left", "."], ["Oslo"], []]))
    counts = meter.drain()
    assert (counts["documents"], counts["pieces"], counts["padded_pieces"]) == (3, 5 + 3, 5 + 3)
    assert counts["seconds"] > 0
    assert meter.drain() == {}


@pytest.mark.django_db(transaction=True)
def test_a_real_worker_publishes(worker: Worker, project: Project, production: ModelVersion) -> None:
    broker = redis.Redis.from_url(settings.REDIS_URL)
    broker.delete(COUNTS_KEY)
    add_open(project, 5)
    preannotate.start(project, None)
    wait_for(lambda: float(broker.hget(COUNTS_KEY, "documents") or 0) >= 5, says=worker.log)
    assert float(broker.hget(COUNTS_KEY, "pieces") or 0) > 0

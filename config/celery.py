"""The Celery application: queues `default` for data, `model` for long work with the network, `serve` for short."""

import os

from celery import Celery

import config.worker_meter  # noqa: F401 (each worker process begins to publish what its network does)
from config.worker_beat import WorkerBeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goldset")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(WorkerBeat)

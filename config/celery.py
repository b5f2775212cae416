"""The Celery application: two queues, `default` for data and `model` for the network."""

import os

from celery import Celery

from config.worker_beat import WorkerBeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("goldset")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(WorkerBeat)

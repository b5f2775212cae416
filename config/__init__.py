"""Wiring only: settings, URLs, Celery, embedded services. Nothing imports this package."""

from config.celery import app as celery_app

__all__ = ["celery_app"]

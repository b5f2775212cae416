"""Django's entry for the app."""

from django.apps import AppConfig


class LabelingConfig(AppConfig):
    """People, texts and labels."""

    name = "labeling"

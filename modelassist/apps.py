"""Django's entry for the app."""

from django.apps import AppConfig


class ModelassistConfig(AppConfig):
    """The model in the loop."""

    name = "modelassist"

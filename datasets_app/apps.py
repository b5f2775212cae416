"""Django's entry for the app."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Data in and out."""

    name = "datasets_app"

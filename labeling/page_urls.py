"""Addresses of the pages."""

from django.urls import URLPattern

page_urlpatterns: list[URLPattern] = []

"""Addresses of the pages."""

from django.urls import URLPattern, path

from modelassist import views

page_urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/models/", views.model_list, name="models"),
    path("runs/<int:pk>/", views.run_detail, name="run"),
    path("models/<int:pk>/", views.model_detail, name="model"),
    path("models/<int:pk>/errors/", views.model_errors, name="model-errors"),
]

"""Addresses of the pages."""

from django.urls import URLPattern, path

from modelassist import views, views_audits, views_predictors

page_urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/models/", views.model_list, name="models"),
    path("projects/<slug:slug>/learning/", views.learning_page, name="learning"),
    path("projects/<slug:slug>/label-issues/", views_audits.label_issues, name="label-issues"),
    path("projects/<slug:slug>/patterns/", views_predictors.pattern_page, name="patterns"),
    path("projects/<slug:slug>/assistance/", views_predictors.assistance_page, name="assistance"),
    path("runs/<int:pk>/", views.run_detail, name="run"),
    path("models/<int:pk>/", views.model_detail, name="model"),
    path("models/<int:pk>/errors/", views.model_errors, name="model-errors"),
]

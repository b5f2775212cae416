"""REST addresses of models, below /api/v1/."""

from django.urls import URLPattern, path

from modelassist import api, api_audits
from modelassist import api_predictors as also

api_urlpatterns: list[URLPattern] = [
    path("projects/<slug:slug>/models", api.Models.as_view(), name="models"),
    path("models/<int:pk>", api.OneModel.as_view(), name="model"),
    path("models/<int:pk>/errors", api.Errors.as_view(), name="model-errors"),
    path("models/<int:pk>/comparison/<int:other>", api.Comparison.as_view(), name="model-comparison"),
    path("models/<int:pk>/export", api.Export.as_view(), name="model-export"),
    path("models/<int:pk>/plots", api.Plots.as_view(), name="model-plots"),
    path("models/<int:pk>/plots/<slug:name>.<slug:ending>", api.OnePlot.as_view(), name="model-plot"),
    path("models/<int:pk>/promotion", api.Promotion.as_view(), name="promotion"),
    path("projects/<slug:slug>/progress", api.Progress.as_view(), name="progress"),
    path("projects/<slug:slug>/plots", api.ProjectPlots.as_view(), name="project-plots"),
    path("projects/<slug:slug>/plots/<slug:name>.<slug:ending>", api.ProjectPlot.as_view(), name="project-plot"),
    path("projects/<slug:slug>/predictions", api.Predictions.as_view(), name="predictions"),
    path("projects/<slug:slug>/predictors", also.Predictors.as_view(), name="predictors"),
    path("projects/<slug:slug>/predictors/<slug:name>", also.OnePredictor.as_view(), name="predictor"),
    path("projects/<slug:slug>/audits", api_audits.Audits.as_view(), name="audits"),
    path("projects/<slug:slug>/label-issues", api_audits.LabelIssues.as_view(), name="label-issues"),
    path("projects/<slug:slug>/label-issues/<int:pk>", api_audits.OneLabelIssue.as_view(), name="label-issue"),
    path("projects/<slug:slug>/patterns/count", also.PatternCount.as_view(), name="pattern-count"),
    path("projects/<slug:slug>/assistance", also.AssistanceSettings.as_view(), name="assistance"),
    path("projects/<slug:slug>/predict", api.Predict.as_view(), name="predict"),
]

"""REST addresses of labelling, below /api/v1/."""

from django.urls import URLPattern, path

from labeling import api, api_work

api_urlpatterns: list[URLPattern] = [
    path("auth/token", api.AuthToken.as_view(), name="token"),
    path("account/shortcuts", api.Shortcuts.as_view(), name="shortcuts"),
    path("projects", api.Projects.as_view(), name="projects"),
    path("projects/<slug:slug>", api.OneProject.as_view(), name="project"),
    path("tokens", api.Tokens.as_view(), name="tokens"),
    path("trash", api.Trash.as_view(), name="trash"),
    path("projects/<slug:slug>/restoration", api.ProjectRestoration.as_view(), name="project-restoration"),
    path("projects/<slug:slug>/labels", api.Labels.as_view(), name="labels"),
    path("projects/<slug:slug>/labels/<path:name>", api.OneLabel.as_view(), name="label"),
    path("projects/<slug:slug>/members", api.Members.as_view(), name="members"),
    path("projects/<slug:slug>/assignments", api_work.Assignments.as_view(), name="assignments"),
    path("projects/<slug:slug>/documents", api_work.Documents.as_view(), name="documents"),
    path("projects/<slug:slug>/documents/<int:pk>", api_work.OneDocument.as_view(), name="document"),
    path(
        "projects/<slug:slug>/documents/<int:pk>/restoration",
        api_work.Restoration.as_view(),
        name="restoration",
    ),
    path(
        "projects/<slug:slug>/documents/<int:pk>/annotation",
        api_work.OwnAnnotation.as_view(),
        name="annotation",
    ),
    path("projects/<slug:slug>/documents/<int:pk>/skip", api_work.Skip.as_view(), name="skip"),
    path("projects/<slug:slug>/documents/<int:pk>/comparison", api_work.CompareDocument.as_view(), name="comparison"),
    path("projects/<slug:slug>/documents/<int:pk>/acceptance", api_work.Acceptance.as_view(), name="acceptance"),
    path("projects/<slug:slug>/documents/<int:pk>/return", api_work.Return.as_view(), name="return"),
    path("projects/<slug:slug>/examples", api_work.Examples.as_view(), name="examples"),
    path(
        "projects/<slug:slug>/occurrences/preview",
        api_work.OccurrencesPreview.as_view(),
        name="occurrences-preview",
    ),
    path("projects/<slug:slug>/occurrences", api_work.AllOccurrences.as_view(), name="occurrences"),
    path("projects/<slug:slug>/occurrences/<int:pk>", api_work.OneOccurrences.as_view(), name="one-occurrences"),
]

"""REST addresses of data, below /api/v1/."""

from django.urls import URLPattern, path

from datasets_app import api, api_bulk, api_changes, api_curation, api_statistics, api_uploads

api_urlpatterns: list[URLPattern] = [
    path("surveys", api.Surveys.as_view(), name="surveys"),
    path("projects/<slug:slug>/imports", api.Imports.as_view(), name="imports"),
    path("projects/<slug:slug>/uploads", api_uploads.Uploads.as_view(), name="uploads"),
    path("projects/<slug:slug>/uploads/<uuid:pk>", api_uploads.OneUpload.as_view(), name="upload"),
    path("projects/<slug:slug>/jobs", api.Jobs.as_view(), name="jobs"),
    path("jobs/<int:pk>", api.OneJob.as_view(), name="job"),
    path("jobs/<int:pk>/errors", api.JobErrors.as_view(), name="job-errors"),
    path("projects/<slug:slug>/curation", api_curation.CurationSettings.as_view(), name="curation"),
    path("projects/<slug:slug>/duplicates", api_curation.Duplicates.as_view(), name="duplicates"),
    path("projects/<slug:slug>/leaks", api_curation.ProjectLeaks.as_view(), name="leaks"),
    path("projects/<slug:slug>/documents/<int:pk>/erasure", api_curation.Erasure.as_view(), name="erasure"),
    path("projects/<slug:slug>/documents/<int:pk>/versions", api.DocumentVersions.as_view(), name="document-versions"),
    path("projects/<slug:slug>/statistics", api_statistics.StatisticsNow.as_view(), name="statistics"),
    path("projects/<slug:slug>/statistics/plots", api_statistics.StatisticsPlots.as_view(), name="statistics-plots"),
    path(
        "projects/<slug:slug>/statistics/plots/<slug:name>.<slug:ending>",
        api_statistics.StatisticsPlot.as_view(),
        name="statistics-plot",
    ),
    path("projects/<slug:slug>/consistency", api_statistics.Consistency.as_view(), name="consistency"),
    path("projects/<slug:slug>/consistency/contexts", api_statistics.Contexts.as_view(), name="consistency-contexts"),
    path("projects/<slug:slug>/consistency/fixes", api_statistics.Fixes.as_view(), name="consistency-fixes"),
    path("projects/<slug:slug>/versions", api.Versions.as_view(), name="versions"),
    path("versions/<int:pk>", api.OneVersion.as_view(), name="version"),
    path("versions/<int:pk>/release", api.VersionRelease.as_view(), name="version-release"),
    path("versions/<int:pk>/leaks", api.VersionLeaks.as_view(), name="version-leaks"),
    path("versions/<int:pk>/diff/<int:other>", api.VersionDiff.as_view(), name="version-diff"),
    path("versions/<int:pk>/diff/now", api.VersionDiffNow.as_view(), name="version-diff-now"),
    path("versions/<int:pk>/restoration", api_changes.Restoration.as_view(), name="version-restoration"),
    path("projects/<slug:slug>/bulk/preview", api_bulk.BulkPreview.as_view(), name="bulk-preview"),
    path("projects/<slug:slug>/bulk", api_bulk.Bulk.as_view(), name="bulk"),
    path("projects/<slug:slug>/changes", api_changes.Changes.as_view(), name="changes"),
    path("projects/<slug:slug>/label-operations", api_changes.LabelOperations.as_view(), name="label-operations"),
    path("projects/<slug:slug>/label-splits", api_changes.LabelSplits.as_view(), name="label-splits"),
    path("changes/<int:pk>/undo", api_changes.Undo.as_view(), name="change-undo"),
    path("projects/<slug:slug>/export", api.ProjectExport.as_view(), name="export"),
    path("versions/<int:pk>/export", api.VersionExport.as_view(), name="version-export"),
]

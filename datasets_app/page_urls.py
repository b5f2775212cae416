"""Addresses of the pages."""

from django.urls import URLPattern, path

from datasets_app import views, views_bulk, views_changes, views_curation, views_new, views_statistics, views_versions

page_urlpatterns: list[URLPattern] = [
    path("new-project/", views_new.new_project, name="new-project"),
    path("projects/<slug:slug>/import/", views.import_page, name="import"),
    path("projects/<slug:slug>/documents/bulk/", views_bulk.bulk_page, name="bulk"),
    path(
        "projects/<slug:slug>/documents/<int:pk>/versions/", views_versions.document_versions, name="document-versions"
    ),
    path("projects/<slug:slug>/jobs/", views.job_list, name="jobs"),
    path("projects/<slug:slug>/export/", views.export_page, name="export"),
    path("projects/<slug:slug>/versions/", views_versions.version_list, name="versions"),
    path("projects/<slug:slug>/curation/", views_curation.curation_page, name="curation"),
    path("projects/<slug:slug>/duplicates/", views_curation.duplicate_groups, name="duplicates"),
    path("projects/<slug:slug>/leaks/", views_statistics.leaks_page, name="leaks"),
    path("projects/<slug:slug>/statistics/", views_statistics.statistics_page, name="statistics"),
    path("projects/<slug:slug>/consistency/", views_statistics.board, name="consistency"),
    path("projects/<slug:slug>/consistency/surface/", views_statistics.surface, name="consistency-surface"),
    path("versions/<int:pk>/", views_versions.version_detail, name="version"),
    path("versions/<int:pk>/card/", views_versions.version_card, name="version-card"),
    path("versions/<int:pk>/leaks/", views_versions.version_leaks, name="version-leaks"),
    path("versions/<int:pk>/diff/<int:other>/", views_versions.version_diff, name="version-diff"),
    path("versions/<int:pk>/diff/now/", views_versions.version_diff_now, name="version-diff-now"),
    path("versions/<int:pk>/restore/<int:document>/", views_changes.restore_document, name="version-restore-document"),
    path("projects/<slug:slug>/changes/", views_changes.change_list, name="changes"),
    path("projects/<slug:slug>/labels/operation/", views_changes.label_operation, name="label-operation"),
    path("changes/<int:pk>/undo/", views_changes.change_undo, name="change-undo"),
    path("jobs/<int:pk>/", views.job_detail, name="job"),
    path("jobs/<int:pk>/cancel/", views.job_cancel, name="job-cancel"),
]

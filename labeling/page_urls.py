"""Addresses of the pages."""

from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, path

from labeling import views, views_account, views_progress, views_review, views_setup, views_work

page_urlpatterns: list[URLPattern] = [
    path("sign-in/", views_account.SignIn.as_view(redirect_authenticated_user=True), name="login"),
    path("sign-out/", LogoutView.as_view(), name="logout"),
    path("profile/", views_account.profile, name="profile"),
    path("profile/language/", views_account.language, name="profile-language"),
    path("profile/token/", views_account.token, name="profile-token"),
    path("", views.home, name="projects"),
    path("projects/<slug:slug>/", views.overview, name="project"),
    path("projects/<slug:slug>/progress/", views_progress.progress_page, name="progress"),
    path("projects/<slug:slug>/progress/<slug:name>/", views_progress.panel, name="progress-panel"),
    path("trash/", views.trash_page, name="trash"),
    path("projects/<slug:slug>/settings/", views.settings, name="settings"),
    path("projects/<slug:slug>/labels/", views_setup.labels, name="labels"),
    path("projects/<slug:slug>/labels/change/", views_setup.label, name="label"),
    path("projects/<slug:slug>/members/", views_setup.members, name="members"),
    path("projects/<slug:slug>/members/change/", views_setup.member, name="member"),
    path("projects/<slug:slug>/annotate/", views_work.annotate_page, name="annotate"),
    path("projects/<slug:slug>/annotate/offline.js", views_work.offline_worker, name="annotate-offline"),
    path("projects/<slug:slug>/review/", views_review.queue, name="review"),
    path("projects/<slug:slug>/review/<int:pk>/", views_review.document, name="review-document"),
    path("projects/<slug:slug>/review/<int:pk>/next/", views_review.following, name="review-next"),
    path("projects/<slug:slug>/documents/", views_work.document_list, name="documents"),
    path("projects/<slug:slug>/documents/<int:pk>/", views_work.document_detail, name="document"),
    path("projects/<slug:slug>/documents/<int:pk>/archive/", views_work.archive, name="document-archive"),
]

"""Every address: pages at the root, the REST contract under /api/v1/."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from config import health, metrics
from datasets_app import page_urls as datasets_pages
from datasets_app import urls as datasets_api
from labeling import page_urls as labeling_pages
from labeling import urls as labeling_api
from modelassist import page_urls as models_pages
from modelassist import urls as models_api

api_urlpatterns: list[URLPattern | URLResolver] = [
    *labeling_api.api_urlpatterns,
    *datasets_api.api_urlpatterns,
    *models_api.api_urlpatterns,
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="api:schema", http_method_names=["get"]), name="docs"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.metrics, name="metrics"),
    path("admin/", admin.site.urls),
    path("api/v1/", include((api_urlpatterns, "api"))),
    *labeling_pages.page_urlpatterns,
    *datasets_pages.page_urlpatterns,
    *models_pages.page_urlpatterns,
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.forbidden"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"

"""The language of an answer: the person's own choice, or else what the browser asks for, among those we speak."""

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from labeling.preferences import language_of


class Language:
    """Everything within speaks the language of the request; what comes after speaks none of it any more."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(_chosen(request) or translation.get_language_from_request(request)):
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        patch_vary_headers(response, ["Accept-Language"])
        return response


def _chosen(request: HttpRequest) -> str:
    try:
        user = request.user
        language = language_of(user) if isinstance(user, User) else ""
    except OperationalError:  # without a database there are still pages, which say so
        return ""
    return language if language in dict(settings.LANGUAGES) else ""

"""How large a request may be: told from its header, before anybody receives it.

Django limits what it holds in memory; a multipart body goes to disk, and anyone may send one.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.errors import respond
from labeling.errors import TooLarge


class BodyLimit:
    """Refuses bodies over DATA_UPLOAD_MAX_MEMORY_SIZE, save by views that take files, which limit them themselves."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Answer 413 to what is too large; runs before the CSRF check, which reads the body."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        takes_files = getattr(getattr(view, "cls", None), "takes_files", False)
        if takes_files or int(request.META.get("CONTENT_LENGTH") or 0) <= limit:
            return None
        return respond(request, TooLarge(f"The request is larger than the {limit:,} bytes that are taken here."))

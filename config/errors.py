"""One shape for every error: JSON under /api/, a page elsewhere.

`{"error": {"code": "...", "message": "...", "details": {...}}}` with the fitting status.
"""

import errno
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation, ValidationError
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from psycopg.errors import DeadlockDetected
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from labeling.catalogues import retold
from labeling.errors import Conflict, Forbidden, GoldsetError, Invalid, NotFound, TooLarge, Unavailable

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"


def body(code: str, message: str, details: dict[str, Any] | None = None) -> dict[str, Any]:
    """The error shape; the message in the language of the request, the code in none."""
    return {"error": {"code": code, "message": retold(message), "details": details or {}}}


def handle(exc: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Django REST framework's exception handler; what the view itself would answer in, an error is JSON.

    A person who follows a link to a file sees a page: their browser says that it goes there (`Sec-Fetch-Mode`).
    """
    context["request"].accepted_renderer = JSONRenderer()
    context["request"].accepted_media_type = JSONRenderer.media_type
    if _navigates(context["request"]) and (page := _page_for(exc, context["request"])) is not None:
        set_rollback()
        return page
    if (known := as_goldset_error(exc)) is not None:
        set_rollback()
        wait = {"Retry-After": str(known.details["wait"])} if "wait" in known.details else None
        return Response(body(known.code, known.message, known.details), status=known.status, headers=wait)
    response = exception_handler(exc, context)
    if response is None or not isinstance(exc, exceptions.APIException):
        return response
    response.data = _from_rest_framework(exc)
    return response


def _navigates(request: HttpRequest) -> bool:
    return request.headers.get("Sec-Fetch-Mode") == "navigate"


def _page_for(exc: Exception, request: HttpRequest) -> HttpResponse | None:
    """What a person sees who goes to an address below `API_PREFIX` with their browser; None for what is unexpected."""
    if isinstance(exc, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return redirect_to_login(request.get_full_path())
    known = as_goldset_error(exc)
    if known is None and isinstance(exc, exceptions.APIException):
        answer = _from_rest_framework(exc)["error"]
        known = Refused(answer["message"], code=answer["code"], details=answer["details"], status=exc.status_code)
    return None if known is None else render(request, "error.html", {"error": known}, status=known.status)


def _from_rest_framework(exc: exceptions.APIException) -> dict[str, Any]:
    if isinstance(exc, exceptions.ValidationError):
        details = exc.detail if isinstance(exc.detail, dict) else {"non_field_errors": exc.detail}
        return body("invalid", f"Please correct: {_first_complaint(details)}", {"fields": details})
    detail = exc.detail if isinstance(exc.detail, str) else str(exc.default_detail)
    return body(str(exc.get_codes() if isinstance(exc.detail, str) else exc.default_code), str(detail))


def _first_complaint(details: Any, path: str = "") -> str:
    """The first message in DRF's nested error structure, with the path to its field."""
    if isinstance(details, dict):
        name, inner = next(iter(details.items()), ("input", "is not valid"))
        return _first_complaint(inner, f"{path}.{name}" if path else str(name))
    if isinstance(details, list) and details:
        at = next((index for index, item in enumerate(details) if item), 0)
        here = f"{path}[{at}]" if isinstance(details[at], dict) else path
        return _first_complaint(details[at], here)
    return f"{path}: {details}" if path else str(details)


def as_goldset_error(exc: Exception) -> GoldsetError | None:
    """The error as one of ours, where it is a known kind of trouble."""
    match exc:
        case GoldsetError():
            return exc
        case Http404():
            return NotFound("There is nothing at this address, or you may not see it.")
        case PermissionDenied():
            return Forbidden(str(exc) or "You may not do this.")
        case RequestDataTooBig():
            return TooLarge("The request is larger than this server takes; send less at once.")
        case ValidationError():
            fields = exc.message_dict if hasattr(exc, "error_dict") else {"value": exc.messages}
            return Invalid(f"Please correct: {_first_complaint(fields)}", details={"fields": fields})
        case SuspiciousOperation() | BadRequest():
            return Invalid("The request cannot be read: it has too many fields or is not well formed.")
        case OperationalError() if isinstance(exc.__cause__, DeadlockDetected):
            return Conflict("Somebody changed the same rows at the same moment; nothing was changed. Try again.")
        case IntegrityError():
            # Rules are checked before; what still meets the database's own was overtaken by another change.
            logger.warning("overtaken: %s", exc)
            return Conflict(
                "Something that this needs was changed meanwhile; nothing was changed. Load it and try again."
            )
        case OperationalError():
            logger.error("database: %s", exc)
            return Unavailable("The database does not answer; try again in a moment.", code="database_unavailable")
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            logger.error("disk: %s", exc)
            return Unavailable("The server's disk is full; nothing was kept. Tell who runs it.", code="disk_full")
        case DataError():
            return Invalid("A value does not fit its field (too long, or a character that cannot be stored).")
        case UnicodeError():
            return Invalid("The text holds a character that cannot be stored, such as half a surrogate pair.")
    return None


class ErrorMiddleware:
    """Gives pages and non-REST addresses the same errors; hides what is unexpected."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """A page too where Django answers with nothing: a new sign-in may lead to an address that takes forms alone."""
        response = self.get_response(request)
        if _asks_to_sign_in(request, response):
            return _whole_page(request)
        if response.status_code != FormsOnly.status or request.path.startswith(API_PREFIX):
            return response
        page = respond(
            request, FormsOnly("This address only takes what a form on another page sends. Go to that page.")
        )
        page["Allow"] = response["Allow"]
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer known trouble; leave the rest to Django's own 500."""
        if (known := as_goldset_error(exception)) is None:
            return None
        return respond(request, known)


def _asks_to_sign_in(request: HttpRequest, response: HttpResponse) -> bool:
    """Whether a part of a page is asked for by somebody who is signed out by now."""
    to_sign_in = response.status_code == 302 and response["Location"].startswith(reverse("login"))
    return to_sign_in and "HX-Request" in request.headers


def _whole_page(request: HttpRequest) -> HttpResponse:
    """The sign-in page in place of the page, and back to it, not within a part of it."""
    here = urlsplit(request.headers.get("HX-Current-URL", ""))
    return HttpResponse(
        headers={"HX-Redirect": redirect_to_login(here._replace(scheme="", netloc="").geturl() or "/").url}
    )


def respond(request: HttpRequest, error: GoldsetError) -> HttpResponse:
    """The error as JSON or as a page."""
    if request.path.startswith(API_PREFIX):
        return JsonResponse(body(error.code, error.message, error.details), status=error.status)
    try:
        return render(request, "error.html", {"error": error}, status=error.status)
    except OperationalError as lost:  # the page shows who is signed in, which the database knows
        return respond(request, as_goldset_error(lost) or ServerFault("The database does not answer."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    return respond(request, as_goldset_error(exception) or Invalid("The request cannot be read."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return respond(request, NotFound("There is nothing at this address, or you may not see it."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    return respond(request, Forbidden(str(exception) or "You may not do this."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page for a form whose token is missing or old."""
    return respond(request, Forbidden("This form has grown old. Go back, load the page again and resend it."))


class Refused(GoldsetError):
    """What Django REST framework refuses, with its own status."""

    def __init__(self, message: str, *, code: str, details: dict[str, Any], status: int) -> None:
        super().__init__(message, code=code, details=details)
        self.status = status  # type: ignore[misc]  # of this one alone


class FormsOnly(GoldsetError):
    """There is nothing to see at this address."""

    status, code = 405, "method_not_allowed"


class ServerFault(GoldsetError):
    """Something unexpected; the log has the details."""

    status, code = 500, "server_error"


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500."""
    return respond(request, ServerFault("Something went wrong on the server; it has been written to the log."))

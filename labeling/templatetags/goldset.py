"""What templates need to show texts, shares and times. Everything that comes from people is escaped."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django import template
from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join, json_script
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from labeling import catalogues, drawing, words
from labeling import markdown as markdown_text
from labeling.highlight import Piece
from labeling.plots import Kind, Plot, written

register = template.Library()


@register.simple_tag
def highlighted(pieces: Iterable[Piece], colors: Mapping[str, str], *, suggested: bool = False) -> SafeString:
    """Pieces of a text as HTML: labeled ones framed, with the label's name beside them."""
    return format_html_join("", "{}", ((_piece(piece, colors, suggested),) for piece in pieces))


def _piece(piece: Piece, colors: Mapping[str, str], suggested: bool) -> SafeString:
    if not piece.label:
        return format_html("{}", piece.text)
    return format_html(
        '<mark class="entity{}{}" style="--label: {}">{}<span class="tag">{}</span></mark>',
        " suggested" if suggested else "",
        " differs" if piece.differs else "",
        colors.get(piece.label, "#888888"),
        piece.text,
        piece.label,
    )


@register.simple_tag
def csrf_cookie_name() -> str:
    """Where scripts find the token that is valid now, also after a new sign-in in another tab."""
    return str(settings.CSRF_COOKIE_NAME)


@register.simple_tag
def texts_script() -> SafeString:
    """The texts of the scripts in the page's language, for static/js/texts.js; nothing in English, which they speak."""
    texts = catalogues.of_scripts()
    return json_script(texts, "texts") if texts else SafeString()


@register.filter
def markdown(text: str) -> SafeString:
    """Guidelines as HTML."""
    return markdown_text.render(text)


@register.filter
def get(mapping: Mapping[str, Any] | None, key: str) -> Any:
    """`mapping[key]`, or nothing."""
    return (mapping or {}).get(key)


@register.filter
def percent(share: float | None) -> str:
    """0.8642 as `86.4 %`; a dash where there is no number."""
    return "–" if share is None else f"{written(share * 100, 1)} %"


@register.filter
def score(value: Any) -> str:
    """A precision, recall or F1 with three digits; a dash where there is none."""
    return written(value, 3) if isinstance(value, (int, float)) else "–"


@register.filter
def signed(value: float | None) -> str:
    """A difference with its sign and three digits."""
    return "–" if value is None else f"{'-' if value < 0 else '+'}{written(abs(value), 3)}"


@register.filter
def share_of(part: int | None, whole: int | None) -> str:
    """`part` of `whole` in percent, for the width of a bar: as CSS wants it, in every language."""
    return f"{100 * (part or 0) / whole:.2f}" if whole else "0"


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as `45 s`, `12 min` or `3 h 20 min`."""
    whole = round(seconds or 0)
    if whole < 60:
        return _("%(seconds)s s") % {"seconds": whole}
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    return _("%(minutes)s min") % {"minutes": minutes}


@register.filter
def when(at: datetime) -> SafeString:
    """A moment, for a script to tell in the reader's own time zone."""
    shown = date_format(timezone.localtime(at), "DATETIME_FORMAT")
    return format_html('<time datetime="{}">{}</time>', at.isoformat(), shown)


@register.filter
def retold(message: str) -> str:
    """A message of a verb or a job in the reader's language."""
    return catalogues.retold(message)


@register.filter
def of_kind(value: Any, kind: Kind) -> str:
    """A number of a plot's table as its column says; a dash where there is none."""
    if value is None:
        return "–"
    if kind == "share":
        return percent(value)
    if kind == "day":
        return date_format(date.fromisoformat(value) if isinstance(value, str) else value, "DATE_FORMAT")
    digits = {"count": 0, "score": 3, "number": 2, "seconds": 1}.get(kind)
    return str(value) if digits is None else written(value, digits)


@register.inclusion_tag("_plot.html")
def plotted(plot: Plot, files: str = "", *, level: int = 2, open: bool = False) -> dict[str, Any]:
    """A plot with its numbers; `files` is the address that the names of its files follow."""
    return {"plot": plot, "files": files, "level": level, "open": open, "formats": drawing.MEDIA_TYPES}


@register.filter
def said(verb: str) -> str:
    """An event's verb as words: `annotation.submitted` becomes `annotation submitted`."""
    return str(words.VERBS.get(verb) or verb.replace(".", " ").replace("_", " "))


@register.filter
def word(value: str) -> str:
    """A value of a row as a word for people."""
    return str(words.VALUES.get(value, value))


@register.filter
def job_kind(kind: str) -> str:
    """What a job does, as a heading."""
    return str(words.JOBS.get(kind) or kind.capitalize())


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: Any) -> str:
    """The present query string with some parameters changed; an empty value takes one away."""
    params = context["request"].GET.copy()
    for name, value in changes.items():
        if value in (None, ""):
            params.pop(name, None)
        else:
            params[name] = value
    return f"?{params.urlencode()}"

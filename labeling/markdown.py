"""Guidelines as HTML: the small part of Markdown that guidelines need; pure, and safe with hostile text.

Headings, paragraphs, lists, bold, emphasis, code and http(s) links. Everything is escaped before anything is
made of it, so nothing but these elements can come out.
"""

import re
from collections.abc import Callable, Iterator
from itertools import groupby

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

_HEADING = re.compile(r"#{1,6}\s+(.*)")
_BULLET = re.compile(r"\s*[-*+]\s+(.*)")
_NUMBER = re.compile(r"\s*\d+[.)]\s+(.*)")
# On escaped text; each group of characters that a pattern may repeat excludes its own end, so none backtracks far.
_INLINE: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\*\*([^*\n]+)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"\*([^*\s][^*\n]*)\*"), r"<em>\1</em>"),
    (
        re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()<>*]+)\)"),
        r'<a href="\2" rel="noopener noreferrer" target="_blank">\1</a>',
    ),
)


def render(text: str) -> SafeString:
    """The HTML of a Markdown text."""
    blocks = _blocks(text.replace("\r\n", "\n").split("\n"))
    return mark_safe("\n".join(blocks))  # noqa: S308 - every piece went through `_inline`, which escapes


def _blocks(lines: list[str]) -> Iterator[str]:
    """Neighboring lines of one kind make one block."""
    for kind, group in groupby(lines, key=_kind):
        texts = [_content(line) for line in group]
        if maker := _MAKERS.get(kind):
            yield maker(texts)


def _kind(line: str) -> str:
    if not line.strip():
        return "blank"
    for name, pattern in (("heading", _HEADING), ("bullets", _BULLET), ("numbers", _NUMBER)):
        if pattern.fullmatch(line):
            return name
    return "paragraph"


def _content(line: str) -> str:
    found = _HEADING.fullmatch(line) or _BULLET.fullmatch(line) or _NUMBER.fullmatch(line)
    return found[1] if found else line.strip()


def _list(name: str) -> Callable[[list[str]], str]:
    return lambda texts: f"<{name}>{''.join(f'<li>{_inline(text)}</li>' for text in texts)}</{name}>"


_MAKERS: dict[str, Callable[[list[str]], str]] = {
    # Below the page's own h1 and h2, whatever the number of signs.
    "heading": lambda texts: "".join(f"<h3>{_inline(text)}</h3>" for text in texts),
    "bullets": _list("ul"),
    "numbers": _list("ol"),
    "paragraph": lambda texts: f"<p>{'<br>'.join(map(_inline, texts))}</p>",
}


def _inline(text: str) -> str:
    """Code is taken out first: what stands between backticks is not Markdown."""
    parts = escape(text).split("`")
    if len(parts) % 2 == 0:  # an odd backtick is a backtick
        parts[-2:] = ["`".join(parts[-2:])]
    return "".join(f"<code>{part}</code>" if index % 2 else _styled(part) for index, part in enumerate(parts))


def _styled(text: str) -> str:
    for pattern, replacement in _INLINE:
        text = pattern.sub(replacement, text)
    return text

"""Guidelines as HTML, by markdown-it-py: CommonMark with tables, each line end as it was typed; pure, and safe.

What looks like HTML in a text is shown as text. Links lead to web and mail addresses alone, and there are no pictures:
no page fetches anything from elsewhere. Headings stand below the page's own, whatever their level.
"""

import re

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_ADDRESS = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)


class _Markdown(MarkdownIt):
    def validateLink(self, url: str) -> bool:
        """Whether a link may lead there; where not, its source is shown."""
        return bool(_ADDRESS.match(url)) and super().validateLink(url)


_MARKDOWN = _Markdown("commonmark", {"html": False, "breaks": True, "xhtmlOut": False}).enable("table").disable("image")


def render(text: str) -> SafeString:
    """The HTML of a Markdown text."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrs |= {"rel": "noopener noreferrer", "target": "_blank"}
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return mark_safe(html)  # noqa: S308 - the library escapes whatever is not Markdown

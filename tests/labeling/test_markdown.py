"""Guidelines as HTML: what is made of them, and that hostile text stays text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.markdown import render

LINK = r"<a href=\"https?://[^\"<>]*\" rel=\"noopener noreferrer\" target=\"_blank\">"
MADE = rf"</?(?:h3|p|ul|ol|li|strong|em|code|a)>|<br>|{LINK}"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One<br>two</p>\n<p>three</p>"),
        ("# Head\ntext", "<h3>Head</h3>\n<p>text</p>"),
        ("- a\n* b\n\n1. c\n2) d", "<ul><li>a</li><li>b</li></ul>\n<ol><li>c</li><li>d</li></ol>"),
        ("**bold** and *soft*", "<p><strong>bold</strong> and <em>soft</em></p>"),
        ("`**as is**` and ` alone", "<p><code>**as is**</code> and ` alone</p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        (
            "[here](https://example.org/?a=1&b=2)",
            '<p><a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">here</a></p>',
        ),
        ("[no](javascript:alert(1))", "<p>[no](javascript:alert(1))</p>"),
        ("<b>&", "<p>&lt;b&gt;&amp;</p>"),
        ("", ""),
    ],
)
def test_what_is_made_of_it(text: str, html: str) -> None:
    assert render(text) == html


@given(st.text(alphabet=st.sampled_from("ab<>\"'&*`[]()#-1.\n /:") | st.characters(codec="utf-8"), max_size=200))
def test_nothing_but_its_own_elements_comes_out(text: str) -> None:
    assert not re.search(r"[<>]", re.sub(MADE, "", render(text)))


def test_a_long_hostile_line_is_quick_enough_to_finish() -> None:
    for piece in ("[", "*", "**", "[a](", "`", "#", "[[a]"):
        render(piece * 50_000)

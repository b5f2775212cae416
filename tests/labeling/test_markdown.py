"""Guidelines as HTML: what is made of them, and that hostile text stays text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labeling.markdown import render

LINK = (
    r"<a href=\"(?:https?://|mailto:)[^\"<>]*\"(?: title=\"[^\"<>]*\")?"
    r" rel=\"noopener noreferrer\" target=\"_blank\">"
)
TAGS = "h3|p|ul|ol|li|strong|em|code|pre|blockquote|table|thead|tbody|tr|th|td|a"
MADE = (
    rf"</?(?:{TAGS})>|<br>|<hr>|<ol start=\"\d+\">|<code class=\"language-[^\"<>]*\">|<t[hd] style=\"[a-z:-]+\">|{LINK}"
)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One\ntwo\n\nthree", "<p>One<br>\ntwo</p>\n<p>three</p>\n"),
        ("# Head\ntext", "<h3>Head</h3>\n<p>text</p>\n"),
        ("- a\n- b\n  1. c", "<ul>\n<li>a</li>\n<li>b\n<ol>\n<li>c</li>\n</ol>\n</li>\n</ul>\n"),
        ("**bold** and *soft*", "<p><strong>bold</strong> and <em>soft</em></p>\n"),
        ("`**as is**` and ` alone", "<p><code>**as is**</code> and ` alone</p>\n"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>\n"),
        ("```\n<b>\n```\n> said", "<pre><code>&lt;b&gt;\n</code></pre>\n<blockquote>\n<p>said</p>\n</blockquote>\n"),
        (
            "|a|b|\n|-|-|\n|1|*2*|",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n"
            "<tbody>\n<tr>\n<td>1</td>\n<td><em>2</em></td>\n</tr>\n</tbody>\n</table>\n",
        ),
        (
            "[here](https://example.org/?a=1&b=2)",
            '<p><a href="https://example.org/?a=1&amp;b=2" rel="noopener noreferrer" target="_blank">here</a></p>\n',
        ),
        ("[no](javascript:alert(1))", "<p>[no](javascript:alert(1))</p>\n"),
        ("![no](x.png)", "<p>![no](x.png)</p>\n"),
        ("<b>&", "<p>&lt;b&gt;&amp;</p>\n"),
        ("", ""),
    ],
)
def test_what_is_made_of_it(text: str, html: str) -> None:
    assert render(text) == html


@given(st.text(alphabet=st.sampled_from("ab<>\"'&*`[]()#-1.\n /:") | st.characters(codec="utf-8"), max_size=200))
def test_nothing_but_its_own_elements_comes_out(text: str) -> None:
    assert not re.search(r"[<>]", re.sub(MADE, "", render(text)))


def test_a_long_hostile_line_is_quick_enough_to_finish() -> None:
    for piece in ("[", "*", "**", "[a](", "`", "#", "[[a]", "<", "> ", "- ", "|a", "!["):
        render(piece * 50_000)

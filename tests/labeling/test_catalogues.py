"""Messages that were made in English, told again; and what scripts are given."""

import json
import re

import pytest
from django.test import Client
from django.utils import translation

from labeling import catalogues


def test_english_is_told_as_it_is() -> None:
    with translation.override("en"):
        assert catalogues.retold("There is no command 'fly'.") == "There is no command 'fly'."
        assert catalogues.of_scripts() == {}


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("There is no command 'fly'.", "没有命令 'fly'。"),
        ("limit is '0'; give a number from 1 to 500.", "limit 是 '0'；请给出 1 到 500 之间的数。"),
        # what it names keeps its own words, line breaks and braces
        ("There is no command 'a\n{b} %(c)s'.", "没有命令 'a\n{b} %(c)s'。"),
        # a message within a message
        (
            "Tag 'I-X' of token 'a' is not legal IOB2 after what stands before it. By hand.",
            "词元 'a' 的标记 'I-X' 在其前面的标记之后不是合法的 IOB2。手动操作。",
        ),
        ("Nobody has ever said this before.", "Nobody has ever said this before."),
        ("", ""),
    ],
)
def test_a_message_is_told_in_chinese(message: str, told: str) -> None:
    with translation.override("zh-hans"):
        assert catalogues.retold(message) == told


def test_scripts_find_their_texts_in_the_page(client: Client, db: None) -> None:
    assert 'id="texts"' not in client.get("/sign-in/").content.decode()
    page = client.get("/sign-in/", headers={"accept-language": "zh"}).content.decode()
    found = re.search(r'<script id="texts" type="application/json">(.*?)</script>', page)
    assert found is not None
    texts = json.loads(found[1])
    assert texts["No spans."] == "没有片段。"
    assert texts["{count} suggestion is open."] == ["有 {count} 条建议待处理。"]

"""Labels typed and pasted, in all the shapes that people have them in."""

import pytest

from labeling.errors import Invalid
from labeling.label_lists import read, write

PER = {"name": "PER", "hotkey": "p", "color": "#56b4e9", "description": "A person's name"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PER [p] #56b4e9 A person's name\n\n  ORG  \n", [PER, {"name": "ORG"}]),
        ("PER #56b4e9 [p] A person's name", [PER]),
        ("PER\tp\t#56b4e9\tA person's name\r\nORG", [PER, {"name": "ORG"}]),
        ("PER, ORG;LOC,", [{"name": "PER"}, {"name": "ORG"}, {"name": "LOC"}]),
        ('["PER", "ORG"]', [{"name": "PER"}, {"name": "ORG"}]),
        (
            '[{"text": "PER", "suffix_key": "p", "background_color": "#56b4e9", "description": "A person\'s name"}]',
            [PER],
        ),
        ('[{"value": "ORG", "background": "red", "hotkey": "ctrl+o"}]', [{"name": "ORG"}]),
        ("PER: a person", [{"name": "PER", "description": "a person"}]),
        ("A a person", [{"name": "A", "description": "a person"}]),
        ("creative-work\n组织 公司", [{"name": "creative-work"}, {"name": "组织", "description": "公司"}]),
        ("", []),
    ],
)
def test_what_is_read(text: str, found: list[dict[str, str]]) -> None:
    assert read(text) == found
    assert read(write(found)) == found


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("PER\nPER", "Line 2: the label 'PER' stands here a second time"),
        ("PER [p]\nORG [p]", "Line 2: the key 'p' belongs to 'PER' already"),
        ("x" * 101, "Line 1: a label has at most 100"),
        ('[{"color": "#000000"}]', "Item 1: it has no name"),
        ("[1]\n", None),
        ('["PER", 3]', "Item 2: this is neither"),
        ('["PER"', "begin like JSON"),
    ],
)
def test_what_is_refused(text: str, told: str | None) -> None:
    if told is None:
        assert read(text) == [{"name": "[1]"}]
        return
    with pytest.raises(Invalid, match=told):
        read(text)

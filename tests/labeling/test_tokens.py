"""Token grids over hostile texts."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from labeling import tokens

HOSTILE = st.text(
    st.sampled_from(list("aéZ9 .,'-_\t\n\u00a0\u200b\u200d\u0301\ufe0f中国あ한ไทยשלום🙂👨👩🏽\u2028")), max_size=40
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi, don't pay $3.14!", ["Hi", ",", "don't", "pay", "$", "3.14", "!"]),
        ("我在北京ABC上班", ["我", "在", "北", "京", "ABC", "上", "班"]),
        ("e\u0301cole नमस्ते", ["e\u0301cole", "नमस्ते"]),
        ("👨‍👩‍👧 ok 👍🏽", ["👨‍👩‍👧", "ok", "👍🏽"]),
        ("a\tb\n\n c", ["a", "b", "c"]),
        ("", []),
        ("  \n", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    starts, ends = tokens.tokenize(text)
    assert tokens.pieces(text, starts, ends) == expected


@pytest.mark.parametrize("kind", tokens.KINDS)
@given(text=HOSTILE)
def test_a_grid_is_in_order_and_leaves_only_blanks_out(kind: str, text: str) -> None:
    starts, ends = tokens.tokenize(text, kind)
    assert all(start < end for start, end in zip(starts, ends))
    assert all(end <= start for end, start in zip(ends, starts[1:]))
    covered = {index for start, end in zip(starts, ends) for index in range(start, end)}
    assert "".join(char for index, char in enumerate(text) if index not in covered).strip() == ""


@pytest.mark.parametrize("kind", tokens.KINDS)
@given(text=HOSTILE)
def test_no_token_cuts_a_cluster(kind: str, text: str) -> None:
    starts, ends = tokens.tokenize(text, kind)
    # A mark that stands on a blank is a token of its own: blanks are never part of one.
    borders = {0, *(match.end() for match in regex.finditer(r"\s|\X", text))}
    assert set(starts) | set(ends) <= borders


@given(st.lists(st.text(min_size=1, max_size=6), max_size=10))
def test_joined_tokens_come_back_from_their_grid(words: list[str]) -> None:
    text, starts, ends = tokens.join(words)
    assert tokens.pieces(text, starts, ends) == words


def test_chinese_is_joined_without_blanks() -> None:
    assert tokens.join(["我", "在", "北京", "IBM", "，", "好"])[0] == "我在北京 IBM ，好"


@pytest.mark.parametrize("kind", tokens.KINDS)
@given(text=st.text(st.characters(max_codepoint=127) | st.sampled_from("aZ09_.,'- \t\r\n\x1f"), max_size=30))
def test_text_that_is_ascii_is_cut_as_by_the_pattern_for_all(kind: str, text: str) -> None:
    spans = [match.span() for match in tokens._PATTERNS[kind].finditer(text)]
    assert tokens.tokenize(text, kind) == ([start for start, _ in spans], [end for _, end in spans])

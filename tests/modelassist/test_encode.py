"""Words to pieces and windows, with the real tokenizer of the compact encoder."""

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from modelassist import base_model
from modelassist.decode import Tagset
from modelassist.encode import IGNORED, Encoder, align, cuts

TAGS = Tagset.of_labels(["PER", "LOC"])


@cache
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(base_model.compact().path / "tokenizer.json"))


@cache
def encoder(max_pieces: int = 512) -> Encoder:
    return Encoder(tokenizer(), max_pieces=max_pieces)


def pieces_of(words: list[str]) -> list[list[str]]:
    return [[tokenizer().id_to_token(int(i)) for i in ids] for ids in encoder().pieces(words)]


def test_first_piece_carries_the_label() -> None:
    words = ["Wolfgang", "lives", "in", "Neustrelitz", "."]
    assert pieces_of(words)[3] == ["ne", "##ust", "##rel", "##itz"]
    (window,) = encoder().windows(words)
    (labels,) = align([window], TAGS.to_ids(["B-PER", "O", "O", "B-LOC", "O"]), TAGS)
    assert window.firsts.tolist() == [1, 2, 3, 4, 8]
    assert labels.tolist() == [-100, 1, 0, 0, 3, -100, -100, -100, 0, -100]


@pytest.mark.parametrize(
    "blank",
    ["\u200b", "\u200d", "\ufeff", "\x00", "\x7f", "\x01", "", " ", "\t", "\u00a0", "\u3000", "\ufffd", "\u0301",
     "\u00ad", "\U000e0041", "\ufe0f"],
)  # fmt: skip
def test_a_word_without_a_piece_keeps_its_place(blank: str) -> None:
    (window,) = encoder().windows(["a", blank, "b"])
    assert window.words.tolist() == [0, 2]
    assert window.firsts.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("😀", ["[UNK]"]),
        ("👨‍👩‍👧", ["[UNK]"]),
        ("\ud7ff", ["[UNK]"]),
        ("ABC中国", ["abc", "中", "国"]),
        ("x" * 101, ["[UNK]"]),
        ("don't", ["don", "'", "t"]),
        ("U.S.", ["u", ".", "s", "."]),
        ("#tag_a", ["#", "tag", "_", "a"]),
        ("[SEP]", ["[", "sep", "]"]),
        ("[MASK]", ["[", "mask", "]"]),
        ("İstanbul", ["istanbul"]),
        ("e\u0301cole", ["ecole"]),
        ("a\ud800b", ["a", "?", "b"]),
    ],
)
def test_pieces(word: str, expected: list[str]) -> None:
    assert pieces_of([word]) == [expected]


def test_a_word_of_a_hundred_letters_is_many_pieces() -> None:
    assert len(encoder().pieces(["x" * 100])[0]) == 50


@pytest.mark.parametrize("words", [[], [""], ["\u200b", "\u200b"]])
def test_nothing_to_read_gives_no_window(words: list[str]) -> None:
    assert list(encoder().windows(words)) == []
    assert align([], np.zeros(len(words), np.int64), TAGS) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=12))
def test_pieces_agree_with_transformers(words: list[str]) -> None:
    reference = AutoTokenizer.from_pretrained(base_model.compact().path, split_special_tokens=True)
    expected = reference(words, is_split_into_words=True)["input_ids"][1:-1]
    assert [int(i) for ids in encoder().pieces(words) for i in ids] == expected


def test_the_next_word_begins_an_entity_whose_first_word_has_no_piece() -> None:
    words = ["\u200b", "Ann", "Lee", "\ufe0f", "Ray"]
    windows = list(encoder().windows(words))
    (labels,) = align(windows, TAGS.to_ids(["B-PER", "I-PER", "I-PER", "B-LOC", "I-LOC"]), TAGS)
    assert [TAGS.names[i] for i in labels[labels != IGNORED]] == ["B-PER", "I-PER", "B-LOC"]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=400), st.integers(8, 62))
def test_windows_tile_the_document(counts: list[int], capacity: int) -> None:
    counts = [min(count, capacity) for count in counts]
    before = np.concatenate(([0], np.cumsum(counts)))
    overlap = capacity // 4
    found = cuts(before, capacity, overlap)
    assert found[0][0] == found[0][2] == 0
    assert found[-1][1] == found[-1][3] == len(counts)
    for start, end, own_start, own_end in found:
        assert start <= own_start <= own_end <= end
        assert before[end] - before[start] <= capacity
    for (start, end, _, owned), (later, later_end, own, _) in itertools.pairwise(found):
        assert owned == own
        assert start < later <= end < later_end
        too_long = capacity - counts[end]  # what is left beside the word that made the window end
        assert before[end] - before[later] >= min(overlap, too_long - max(counts) + 1)
        for word in range(later, end):  # each shared word lies with the window whose border is farther
            to_end, to_start = before[end] - before[word], before[word] - before[later]
            assert (word < owned) == (to_end >= to_start) or before[word] == before[word + 1] or word == owned


def test_long_words_are_cut_to_what_a_window_holds() -> None:
    windows = list(encoder().windows(["a", "中" * 700, "b", "c"]))
    assert max(len(window.ids) for window in windows) == 512
    assert np.concatenate([window.words for window in windows]).tolist() == [0, 1, 2, 3]


def test_windows_of_a_long_document_overlap_and_own_every_word_once() -> None:
    words = [f"w{number}" for number in range(1500)]
    windows = list(encoder().windows(words))
    assert len(windows) > 3
    assert np.concatenate([window.words for window in windows]).tolist() == list(range(1500))
    first = encoder().pieces(words)
    for window in windows:
        assert len(window.ids) <= 512
        for word, place in zip(window.words, window.firsts, strict=True):
            assert window.ids[place] == first[word][0]

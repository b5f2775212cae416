"""Splits: stable, in the shares asked for, and the same for texts that are the same."""

from collections import Counter

from datasets_app import likeness
from datasets_app.splits import split_of


def group_key(text: str) -> str:
    return likeness.of([text])[0].group


def test_known_values_never_change():
    assert group_key("Ada") == "fdee430d40bd57deeac186cd9790033d0f06f909a8806e7ce6e717ab7c7d5029"
    found = [split_of(str(number), validation=0.3, test=0.3)[:2] for number in range(8)]
    assert found == ["te", "va", "te", "va", "te", "va", "tr", "te"]


def test_shares():
    counts = Counter(split_of(group_key(f"text {n}"), validation=0.2, test=0.1) for n in range(10_000))
    assert abs(counts["test"] - 1000) < 120
    assert abs(counts["validation"] - 2000) < 160


def test_a_larger_share_moves_nobody_out_of_it():
    groups = [group_key(f"text {n}") for n in range(2000)]
    before = {group for group in groups if split_of(group, validation=0, test=0.1) == "test"}
    after = {group for group in groups if split_of(group, validation=0, test=0.2) == "test"}
    assert before < after


def test_no_share_gives_train_alone():
    assert {split_of(str(n), validation=0, test=0) for n in range(500)} == {"train"}


def test_same_but_for_case_blanks_and_unicode_form():
    assert group_key("Ａda  met\tBob") == group_key("ada met bob ")
    assert group_key("Cafe\u0301") == group_key("CAFÉ")
    assert group_key("ada met bob") != group_key("ada met rob")

"""The knobs are checked by name, type and range."""

from typing import Any

import pytest

from labeling.errors import Invalid
from modelassist.hyperparameters import CHOICES, NAMES, RANGES, SWITCHES, Hyperparameters


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"learning_rte": 1}, "learning_rte", "not known"),
        ({"epochs": 0}, "epochs", "from 1 to 100"),
        ({"epochs": 2.5}, "epochs", "whole number"),
        ({"epochs": True}, "epochs", "whole number"),
        ({"learning_rate": "fast"}, "learning_rate", "a number"),
        ({"learning_rate": float("nan")}, "learning_rate", "from 1e-07 to 0.1"),
        ({"learning_rate": 10**400}, "learning_rate", "from 1e-07 to 0.1"),
        ({"batch_size": None}, "batch_size", "whole number"),
        ({"freeze_embeddings": 1}, "freeze_embeddings", "true or false"),
        ({"seed": -1}, "seed", "from 0"),
        ({"adversarial": "fast"}, "adversarial", "one of none, fgm, pgd"),
        ({"transitions": ["learned"]}, "transitions", "one of fixed, learned"),
        ({"transitions": "learned", "label_smoothing": 0.1}, "label_smoothing", "learned transitions"),
        ({"transitions": "learned", "class_weights": "balanced"}, "class_weights", "learned transitions"),
        ({"warm_start": "yes"}, "warm_start", "true or false"),
        ({"layer_decay": 0}, "layer_decay", "from 0.1 to 1"),
        ([1], "hyperparameters", "an object"),
        ("x", "hyperparameters", "an object"),
    ],
)
def test_a_bad_value_is_named(given: Any, field: str, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        Hyperparameters.from_json(given)
    assert caught.value.details == {"field": field}
    assert field in caught.value.message


def test_what_is_left_out_depends_on_the_data_and_the_network() -> None:
    small = Hyperparameters().complete(steps_per_epoch=7, hidden_size=384)
    large = Hyperparameters().complete(steps_per_epoch=6000, hidden_size=768)
    assert (small.epochs, small.learning_rate) == (20, 5e-4)
    assert (large.epochs, large.learning_rate) == (3, 5e-5)


def test_what_is_given_stays() -> None:
    chosen = Hyperparameters.from_json({"epochs": 2, "learning_rate": 0.01, "seed": 5, "freeze_embeddings": False})
    complete = chosen.complete(steps_per_epoch=1, hidden_size=384)
    assert complete == chosen
    assert Hyperparameters.from_json(complete.as_json()) == complete
    assert Hyperparameters.from_json(None) == Hyperparameters()


def test_every_number_has_a_range() -> None:
    assert set(Hyperparameters().as_json()) == set(NAMES) == {*RANGES, *CHOICES, *SWITCHES}

"""A person's own shortcuts: over REST, and in step with the table that the page uses."""

import re
from pathlib import Path
from typing import Any

import pytest

from labeling import preferences
from tests.labeling.conftest import World

PATH = "/api/v1/account/shortcuts"
TABLE = Path(__file__).parents[2] / "static" / "js" / "annotate" / "keys.js"


def test_the_commands_are_those_of_the_page() -> None:
    table = TABLE.read_text(encoding="utf-8").split("COMMANDS = {", 1)[1].split("};", 1)[0]
    assert set(re.findall(r': "(\w+)",', table)) == set(preferences.COMMANDS)


def test_a_person_changes_their_own_keys_only(world: World) -> None:
    client = world.client(world.annotator)
    assert client.get(PATH).json() == {"keys": {}}
    assert client.put(PATH, {"keys": {"accept": "q", "skip": " "}}, format="json").status_code == 200
    assert client.get(PATH).json() == {"keys": {"accept": "q", "skip": " "}}
    assert world.client(world.second).get(PATH).json() == {"keys": {}}
    client.put(PATH, {"keys": {}}, format="json")
    assert client.get(PATH).json() == {"keys": {}}


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"fly": "q"}, "unknown_command"),
        ({"accept": "1"}, "bad_key"),
        ({"accept": "q", "reject": "q"}, "key_twice"),
        ({"accept": "q" * 31}, "bad_key"),
        ({"accept": ["q"]}, "invalid"),
        ("q", "invalid"),
    ],
)
def test_bad_keys_change_nothing(world: World, keys: Any, code: str) -> None:
    client = world.client(world.annotator)
    response = client.put(PATH, {"keys": keys}, format="json")
    assert (response.status_code, response.json()["error"]["code"]) == (400, code)
    assert client.get(PATH).json() == {"keys": {}}


def test_who_is_not_signed_in_has_none(client: Any) -> None:
    assert client.get(PATH).status_code == 401

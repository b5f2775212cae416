"""What a file holds, told before there is a project: over REST, kept nowhere."""

import gzip
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from datasets_app import surveying, uploads
from tests import factories

CONLL = b"Ada\tB-PER\nLovelace\tI-PER\n\nLondon\tB-LOC\nAda\tB-PER\n"


def post(api: Callable[[User], APIClient], name: str, content: bytes) -> Any:
    return api(factories.user()).post(
        "/api/v1/surveys", {"file": SimpleUploadedFile(name, content)}, format="multipart"
    )


@pytest.mark.parametrize(("name", "content"), [("x.conll", CONLL), ("x.conll.gz", gzip.compress(CONLL, mtime=0))])
def test_a_file_with_labels(api: Callable[[User], APIClient], name: str, content: bytes) -> None:
    before = sorted(uploads.folder().iterdir())
    found = post(api, name, content).json()
    assert (found["format"], found["texts"], found["errors"], found["more"]) == ("conll", 2, 0, False)
    assert found["labels"] == [{"name": "PER", "spans": 2}, {"name": "LOC", "spans": 1}]
    assert found["sample"] == ["Ada Lovelace", "London Ada"]
    assert sorted(uploads.folder().iterdir()) == before


def test_objects_and_a_bad_one_that_is_cut_off(api: Callable[[User], APIClient]) -> None:
    good = b'{"text": "Ada", "spans": [{"start": 0, "end": 3, "label": "PER"}]}\n'
    found = post(api, "x.jsonl", good * 2 + good[:20]).json()
    assert (found["texts"], found["errors"], found["labels"]) == (2, 1, [{"name": "PER", "spans": 2}])


def test_only_the_beginning_is_read(api: Callable[[User], APIClient], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveying, "TEXTS_MAX", 2)
    found = post(api, "x.txt", b"One.\nTwo.\nThree.\n").json()
    assert (found["texts"], found["more"], found["labels"]) == (2, True, [])


@pytest.mark.parametrize(
    ("name", "content"), [("x.bin", b"\0\1\2"), ("x.txt", b"\n\n"), ("x.parquet", b"PAR1"), ("x.zip", b"PK\3\4")]
)
def test_what_is_no_file_of_texts(api: Callable[[User], APIClient], name: str, content: bytes) -> None:
    answer = post(api, name, content)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_a_file_that_is_too_large(api: Callable[[User], APIClient], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveying, "BYTES_MAX", 5)
    assert post(api, "x.conll", CONLL).status_code == 413


def test_strangers_are_kept_out(db: None) -> None:
    assert APIClient().post("/api/v1/surveys").status_code == 401
    assert APIClient().post("/api/v1/tokens", {"text": "x"}, format="json").status_code == 401


def test_a_text_is_cut_by_each_tokenizer(api: Callable[[User], APIClient]) -> None:
    found = api(factories.user()).post("/api/v1/tokens", {"text": "Hi, 中国 "}, format="json").json()
    assert [each["text"] for each in found["words"]] == ["Hi", ",", "中", "国"]
    assert found["characters"][-1] == {"text": "国", "start": 5, "end": 6}

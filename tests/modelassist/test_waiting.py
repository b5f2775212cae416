"""Requests that wait in a real broker are taken together, and each gets its own answer."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from labeling.errors import Unavailable
from labeling.models import Project
from modelassist import serving, waiting
from modelassist.models import ModelVersion
from modelassist.tagger import Tagger

MODEL = 4_000_001  # no test has so many


def asked(*texts: list[list[str]], wait: float = 20) -> tuple[Any, list[Any]]:
    """Requests that are on the list, and where their answers will be."""
    on_list = threading.Barrier(len(texts) + 1)
    pool = ThreadPoolExecutor(len(texts))
    answers = [pool.submit(waiting.ask, MODEL, words, wake=on_list.wait, wait=wait) for words in texts]
    on_list.wait()
    return pool, answers


def test_all_that_wait_are_taken_at_once_and_each_gets_its_answer() -> None:
    pool, answers = asked([["a"]], [["b", "c"], ["d"]], [["e"]])
    taken = waiting.take(MODEL)
    assert sorted(each.words for each in taken) == [[["a"]], [["b", "c"], ["d"]], [["e"]]]
    assert waiting.take(MODEL) == []
    for each in taken:
        waiting.answer(each, {"tagged": each.words})
    assert [each.result() for each in answers] == [
        {"tagged": words} for words in ([["a"]], [["b", "c"], ["d"]], [["e"]])
    ]
    pool.shutdown()


def test_a_large_request_keeps_later_ones_for_another_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "WORDS_ENOUGH", 3)
    pool, answers = asked([["a"] * 5], [["b"] * 5])
    first, second = waiting.take(MODEL), waiting.take(MODEL)
    assert (len(first), len(second)) == (1, 1)
    for each in first + second:
        waiting.answer(each, {"tagged": []})
    assert [each.result() for each in answers] == [{"tagged": []}] * 2
    pool.shutdown()


def test_what_nobody_waits_for_any_more_is_not_tagged() -> None:
    began = time.monotonic()
    assert waiting.ask(MODEL, [["late"]], wake=lambda: None, wait=0.2) is None
    assert time.monotonic() - began < 5
    assert waiting.take(MODEL) == []


@pytest.mark.django_db
def test_a_request_that_breaks_the_network_does_not_keep_the_others_back(
    production: ModelVersion, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Tagger.predict

    def broken(self: Tagger, documents: Any, **options: Any) -> Any:
        documents = list(documents)
        if ["poison"] in documents:
            raise RuntimeError("no")
        return real(self, documents, **options)

    monkeypatch.setattr(Tagger, "predict", broken)
    requests = [waiting.Request(f"test:{at}", time.time() + 20, words) for at, words in
                enumerate([[["Anna"], ["Oslo", "."]], [["poison"]]])]  # fmt: skip
    answers: dict[str, dict[str, Any]] = {}
    monkeypatch.setattr(waiting, "take", lambda _: requests)
    monkeypatch.setattr(waiting, "answer", lambda request, value: answers.update({request.key: value}))
    serving.tag_waiting(production.pk)
    assert [len(tags) for tags, _ in answers["test:0"]["tagged"]] == [1, 2]
    assert answers["test:1"]["code"] == "prediction_failed"
    monkeypatch.setattr(waiting, "ask", lambda *_, **__: answers["test:1"])
    with pytest.raises(Unavailable, match="RuntimeError"):
        serving.predict(project, ["poison"])

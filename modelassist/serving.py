"""Trained models ready to predict, kept in memory by the worker that uses them; and the predicting of texts.

The web process calls `predict`, which waits for a worker of the queue `serve`; only workers load torch. That
worker trains nothing, so it answers while a training runs; it tags the texts of all requests that wait together.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache, partial
from importlib.util import find_spec
from itertools import islice
from typing import TYPE_CHECKING, Any

from celery import current_app
from celery.exceptions import TimeoutError as NoAnswer
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from datasets_app import label_map
from labeling import bio, tokens
from labeling.errors import GoldsetError, Invalid, TooLarge, Unavailable
from labeling.models import Project
from modelassist import waiting
from modelassist.access import require_production
from modelassist.models import ModelVersion

if TYPE_CHECKING:
    from modelassist.tagger import Tagger

logger = logging.getLogger(__name__)
ONNX = "model.onnx"  # beside the model's own files, once somebody has asked for it
TEXTS_MAX = 256
CHARACTERS_MAX = 200_000  # of all texts of one request together
WAIT_SECONDS = 60.0  # a worker that has just begun loads the network first


def predict(project: Project, texts: Sequence[str], *, wait: float = WAIT_SECONDS) -> dict[str, Any]:
    """Tag texts with the production model: `{model, results: [{text, tokens, tags, confidences, spans}]}`.

    Raises `Invalid` or `TooLarge` for texts that cannot be taken, `Conflict` without a production model,
    and `Unavailable` if no worker answers within `wait` seconds.
    """
    _check(texts)
    model = require_production(project)
    grids = [tokens.tokenize(text, project.tokenizer) for text in texts]
    words = [tokens.pieces(text, *grid) for text, grid in zip(texts, grids, strict=True)]
    answers = _tags_of(model, words, wait=wait)
    results = [_result(*row) for row in zip(texts, grids, answers, strict=True)]
    return {"model": model.name, "results": results}


def _check(texts: Sequence[str]) -> None:
    if len(texts) > TEXTS_MAX or sum(map(len, texts)) > CHARACTERS_MAX:
        raise TooLarge(
            f"At most {TEXTS_MAX} texts and {CHARACTERS_MAX:,} characters at once; import larger sets instead.",
            details={"texts": len(texts)},
        )
    for index, text in enumerate(texts):
        if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
            raise Invalid(
                f"Text {index} holds a NUL or half a surrogate pair; remove it.",
                details={"field": "texts", "index": index},
            )


def _tags_of(model: ModelVersion, words: list[list[str]], *, wait: float) -> list[tuple[list[str], list[float]]]:
    try:
        # After `wait` nobody listens any more, so a worker that comes to it later drops the task.
        task = partial(current_app.send_task, "modelassist.tasks.tag", (model.pk,), queue="serve", expires=wait)
        answer = waiting.ask(model.pk, words, wake=task, wait=wait)
    except (OperationalError, RedisError) as error:
        raise _unreachable() from error
    if answer is None:
        raise _busy(wait)
    if "message" in answer:
        raise Unavailable(answer["message"], code=answer["code"])
    return list(answer["tagged"])


def require_onnx(model: ModelVersion, *, wait: float = WAIT_SECONDS) -> None:
    """Have its ONNX file made, if it is not there; raises `Unavailable` where that cannot be or takes too long."""
    if (model.folder / ONNX).is_file():
        return
    if find_spec("onnx") is None:
        message = "ONNX is not installed here: pip install 'goldset[onnx]', for the web process and the model workers."
        raise Unavailable(message, code="onnx_missing")
    if wrong := _asked("modelassist.tasks.write_onnx", model.pk, wait=wait):
        raise Unavailable(f"{model.name} could not be written as ONNX: {wrong}", code="onnx_failed")


def _asked(task: str, *given: Any, wait: float) -> Any:
    try:
        # After `wait` nobody listens any more, so a worker that comes to it later drops the task.
        return current_app.send_task(task, given, queue="serve", expires=wait).get(timeout=wait)
    except NoAnswer as error:
        raise _busy(wait) from error
    except OperationalError as error:
        raise _unreachable() from error


def _busy(wait: float) -> Unavailable:
    message = f"No model worker answered within {wait:g} seconds; it may be busy. Try again later."
    return Unavailable(message, code="model_busy")


def _unreachable() -> Unavailable:
    return Unavailable("The message broker does not answer; try again in a moment.")


def _result(text: str, grid: tuple[list[int], list[int]], answer: tuple[list[str], list[float]]) -> dict[str, Any]:
    (starts, ends), (tags, confidences) = grid, answer
    found = bio.spans(tags)
    return {
        "text": text,
        "tokens": [{"text": text[s:e], "start": s, "end": e} for s, e in zip(starts, ends, strict=True)],
        "tags": tags,
        "confidences": confidences,
        "spans": [{"start": span.start, "end": span.end, "label": span.label} for span in found],
    }


# In the worker -------------------------------------------------------------------------------------------


def tag_waiting(model_id: int) -> None:
    """Answer the requests that wait for a model: their texts are tagged together."""
    if requests := waiting.take(model_id):
        _answer(model_id, requests)


def _answer(model_id: int, requests: list[waiting.Request]) -> None:
    """One request on which the network breaks does not keep the others back."""
    try:
        rows = iter(_tagged(model_id, [words for each in requests for words in each.words]))
    except Exception as error:
        if len(requests) > 1:
            for each in requests:
                _answer(model_id, [each])
            return
        logger.exception("texts could not be tagged with model %s", model_id)
        waiting.answer(requests[0], _failure(error))
    else:
        for each in requests:
            waiting.answer(each, {"tagged": list(islice(rows, len(each.words)))})


def _failure(error: Exception) -> dict[str, Any]:
    if isinstance(error, GoldsetError):
        return {"code": error.code, "message": error.message}
    return {"code": "prediction_failed", "message": f"The network broke on these texts: {type(error).__name__}."}


def _tagged(model_id: int, words: list[list[str]]) -> list[tuple[list[str], list[float]]]:
    """Tags and confidences of some lists of words."""
    model = ModelVersion.objects.select_related("project").get(pk=model_id)
    taggings = tagger_for(model).predict(words)
    return [(tagging.tags, tagging.confidences.round(4).tolist()) for tagging in taggings]


def write_onnx(model_id: int) -> str:
    """Make a model's ONNX file; gives what went wrong, or nothing."""
    model = ModelVersion.objects.get(pk=model_id)
    try:
        from modelassist import onnx_file

        onnx_file.write(model.folder, ONNX)
    except Exception as error:  # whoever asked is told, whatever it is
        logger.exception("no ONNX file of %s", model)
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def tagger_for(model: ModelVersion) -> "Tagger":
    """The model's network, kept to the labels that its project has today, under the names that they have today."""
    names = label_map.since(model.project, model.labels_of)
    labels = model.project.labels.filter(retired=False).values_list("name", flat=True)
    return _loaded(str(model.folder)).named(names).restricted(labels)


@lru_cache(maxsize=2)
def _loaded(folder: str) -> "Tagger":
    from modelassist.tagger import Tagger

    return Tagger.load(folder)

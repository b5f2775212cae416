"""Trained models ready to predict, kept in memory by the worker that uses them; and the predicting of texts.

The web process calls `predict`, which waits for a worker of the queue `serve`; only workers load torch. That
worker trains nothing, so it answers while a training runs.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from celery import current_app
from celery.exceptions import TimeoutError as NoAnswer
from kombu.exceptions import OperationalError

from datasets_app import label_map
from labeling import bio, tokens
from labeling.errors import Invalid, TooLarge, Unavailable
from labeling.models import Project
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
    answers = _asked("modelassist.tasks.tag", model.pk, words, wait=wait)
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
        message = f"No model worker answered within {wait:g} seconds; it may be busy. Try again later."
        raise Unavailable(message, code="model_busy") from error
    except OperationalError as error:
        raise Unavailable("The message broker does not answer; try again in a moment.") from error


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


def tag_words(model_id: int, words: list[list[str]]) -> list[tuple[list[str], list[float]]]:
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

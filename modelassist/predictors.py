"""What can suggest beside the trained models: kinds of predictors, and those that a project has set up.

A kind is made of two functions, to check its options and to make a predictor of them. Other packages add kinds
by entry points of the group `goldset.predictors`, each naming a `Kind`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db import IntegrityError, transaction

from labeling import tokens
from labeling.access import Person, documents_in
from labeling.errors import Conflict, Invalid, NotFound
from labeling.events import record
from labeling.models import MODEL, Document, Occurrences, Project
from labeling.progress import suggestion_use
from modelassist import http_predictor, patterns
from modelassist.access import models_of
from modelassist.models import ModelVersion, Predictor

GROUP = "goldset.predictors"
PATTERNS = "patterns"  # the name of the predictor that the patterns page keeps
SAMPLE = 2_000  # documents in which the patterns page counts
OFFERED, OFFERED_STEPS = 20, 200  # rules that the page offers, from so many of people's latest steps
COUNT_SECONDS = 10.0  # after which it counts no further


class Suggested(NamedTuple):
    """What a predictor says of a document."""

    tags: list[str]  # legal IOB2, one per token
    confidences: list[float]


class Predicts(Protocol):
    """Something that suggests."""

    def predict(self, documents: Sequence[Document]) -> list[Suggested]:
        """The suggestion for each document, in order."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of predictor: `checked(options, labels)` gives clean options or raises `Invalid`; `made` opens it."""

    checked: Callable[[Mapping[str, Any], Sequence[str]], dict[str, Any]]
    made: Callable[[Mapping[str, Any]], Predicts]


class _Patterns:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._patterns = patterns.Patterns(patterns.of_json(options["rules"]))

    def predict(self, documents: Sequence[Document]) -> list[Suggested]:
        tagged = [self._patterns.tags(each.text, each.token_starts, each.token_ends) for each in documents]
        return [Suggested(tags, [1.0] * len(tags)) for tags in tagged]


class _Http:
    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options

    def predict(self, documents: Sequence[Document]) -> list[Suggested]:
        answers = http_predictor.ask(
            self._options["url"],
            [{"text": each.text, "tokens": _tokens(each)} for each in documents],
            token=self._options["token"],
            timeout=self._options["timeout"],
            private=settings.PRIVATE_PREDICTORS,
        )
        return [Suggested(*answer) for answer in answers]


def _tokens(document: Document) -> list[dict[str, Any]]:
    words = tokens.pieces(document.text, document.token_starts, document.token_ends)
    grid = zip(words, document.token_starts, document.token_ends, strict=True)
    return [{"text": word, "start": start, "end": end} for word, start, end in grid]


def _checked_patterns(options: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    _require_known(options, ("rules",))
    return {"rules": patterns.as_json(patterns.of_json(options.get("rules", []), labels))}


def _checked_http(options: Mapping[str, Any], labels: Sequence[str]) -> dict[str, Any]:
    _require_known(options, ("url", "token", "timeout"))
    timeout, token = options.get("timeout", 30), options.get("token", "")
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not 0.1 <= timeout <= 300:
        raise Invalid(f"timeout is {timeout!r:.40}; give 0.1 to 300 seconds.", details={"field": "timeout"})
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or len(token) > 500:
        raise Invalid("token must be at most 500 printable ASCII characters.", details={"field": "token"})
    return {"url": http_predictor.checked_address(str(options.get("url", ""))), "token": token, "timeout": timeout}


def _require_known(options: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in options:
        if name not in names:
            raise Invalid(f"Option {name!r} is not known; choose from {', '.join(names)}.", details={"field": name})


BUILT_IN = {"patterns": Kind(_checked_patterns, _Patterns), "http": Kind(_checked_http, _Http)}


@cache
def kinds() -> dict[str, Kind]:
    """All kinds, by name; what other packages bring cannot take a built-in one's name."""
    return {entry.name: entry.load() for entry in entry_points(group=GROUP)} | BUILT_IN


# A project's predictors ----------------------------------------------------------------------------------


def predictor_of(project: Project, name: str) -> Predictor:
    """The project's predictor; raises `NotFound`."""
    found = Predictor.objects.filter(project=project, name=name).first()
    if found is None:
        raise NotFound(f"The project has no predictor {name!r}.", details={"name": name})
    return found


@transaction.atomic
def add(project: Project, user: Person, *, name: str, kind: str, options: Mapping[str, Any]) -> Predictor:
    """Set one up; raises `Invalid` for a bad kind or option, `Conflict` for a name that is taken."""
    if name == "import" or name.startswith(MODEL):
        raise Invalid(f"The name {name!r} is kept for others.", details={"field": "name"})
    if kind not in kinds():
        message = f"There is no kind of predictor {kind!r}; choose from {', '.join(kinds())}."
        raise Invalid(message, details={"field": "kind"})
    clean = kinds()[kind].checked(options, _labels(project))
    try:
        with transaction.atomic():
            made = Predictor.objects.create(project=project, name=name, kind=kind, options=clean)
    except IntegrityError as error:
        raise Conflict(f"The project has a predictor {name!r} already.", code="predictor_exists") from error
    record(project, user, "predictor.added", data={"name": name, "kind": kind})
    return made


@transaction.atomic
def change(predictor: Predictor, user: Person, options: Mapping[str, Any]) -> Predictor:
    """Replace its options; raises `Invalid` for a bad one."""
    kind = kinds().get(predictor.kind)
    if kind is None:
        raise Conflict(f"Predictors of kind {predictor.kind!r} are not installed any more.", code="kind_missing")
    predictor.options = kind.checked(options, _labels(predictor.project))
    predictor.save(update_fields=["options"])
    record(predictor.project, user, "predictor.changed", data={"name": predictor.name})
    return predictor


@transaction.atomic
def remove(predictor: Predictor, user: Person) -> None:
    """Take it away; what it has suggested stays."""
    Predictor.objects.filter(pk=predictor.pk).delete()
    record(predictor.project, user, "predictor.removed", data={"name": predictor.name})


def opened(predictor: Predictor) -> Predicts:
    """Ready to suggest."""
    kind = kinds().get(predictor.kind)
    if kind is None:
        raise Conflict(f"Predictors of kind {predictor.kind!r} are not installed any more.", code="kind_missing")
    return kind.made(predictor.options)


def save_patterns(project: Project, user: Person, rules: Sequence[patterns.Rule]) -> Predictor:
    """Keep the rules of the patterns page."""
    options = {"rules": patterns.as_json(rules)}
    found = Predictor.objects.filter(project=project, name=PATTERNS).first()
    if found is not None:
        return change(found, user, options)
    return add(project, user, name=PATTERNS, kind="patterns", options=options)


def offered_rules(project: Project, known: Sequence[patterns.Rule]) -> list[patterns.Rule]:
    """What people suggested everywhere at once, the latest first, as rules that are not there yet."""
    steps = Occurrences.objects.filter(project=project, undone_at=None).order_by("-id")[:OFFERED_STEPS]
    lines, labels = {(rule.label, rule.pattern) for rule in known if not rule.is_regex}, set(_labels(project))
    offered: dict[tuple[str, str], patterns.Rule] = {}
    for step in steps:
        phrase = " ".join(step.tokens)
        plain = not phrase.startswith("/") and len(phrase) <= patterns.PATTERN_MAX  # it can stand in a line
        if plain and step.label in labels and (step.label, phrase) not in lines:
            offered.setdefault((step.label, phrase), patterns.Rule(step.label, phrase))
    return list(offered.values())[:OFFERED]


def count(project: Project, rules: Sequence[patterns.Rule]) -> dict[str, Any]:
    """What rules would mark among the project's first pending texts: `{documents, marked, spans: {label: n}}`."""
    patterns.require_labels(rules, _labels(project))
    ready = patterns.Patterns(rules)
    pending = documents_in(project).filter(status=Document.Status.PENDING, archived_at=None).order_by("id")
    spans: dict[str, int] = {}
    documents = marked = 0
    until = time.monotonic() + COUNT_SECONDS
    for each in pending.only("text", "token_starts", "token_ends")[:SAMPLE]:
        found = [tag[2:] for tag in ready.tags(each.text, each.token_starts, each.token_ends) if tag.startswith("B-")]
        documents, marked = documents + 1, marked + bool(found)
        for label in found:
            spans[label] = spans.get(label, 0) + 1
        if time.monotonic() > until:
            break
    return {"documents": documents, "marked": marked, "spans": spans}


def agreement(project: Project) -> list[dict[str, Any]]:
    """What became of each predictor's suggestions, as `progress.suggestion_use` has it, with its kind.

    `kind` is `model`, `update`, a kind of predictor, or "" for what came from a file or was taken away since. All
    updates of the session are one row.
    """
    kinds = dict(Predictor.objects.filter(project=project).values_list("name", "kind"))
    updates = models_of(project).filter(kind=ModelVersion.Kind.UPDATE).values_list("number", flat=True)
    kinds |= {f"{MODEL}{number}": "update" for number in updates}
    rows: dict[str, dict[str, Any]] = {}
    for row in suggestion_use(project):
        kind = kinds.get(row["model"], "model" if row["model"].startswith(MODEL) else "")
        name = "" if kind == "update" else row["model"]
        if (known := rows.get(name)) is None:
            rows[name] = {**row, "model": name, "kind": kind}
            continue
        for count in ("documents", "kept", "edited", "rejected", "drawn"):
            known[count] += row[count]
        suggested = known["kept"] + known["edited"] + known["rejected"]
        known["agreement"] = known["kept"] / suggested if suggested else None
    return list(rows.values())


def _labels(project: Project) -> list[str]:
    return list(project.labels.values_list("name", flat=True))


def as_json(predictor: Predictor) -> dict[str, Any]:
    """The REST shape; a token is never shown."""
    options = {name: "set" if name == "token" and value else value for name, value in predictor.options.items()}
    return {"name": predictor.name, "kind": predictor.kind, "options": options, "created_at": predictor.created_at}

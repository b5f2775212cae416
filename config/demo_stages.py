"""The stages of the demo's loop, each over REST: in, learn, label, out. `config.demo` calls them in turn.

Whoever labels here is simulated: their answers are the gold of `demo/sentences.jsonl`. What they are shown,
lease, hand in and decide goes the way of real people's work.
"""

import io
import json
import random
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from config.rest import Client
from labeling import bio

FOLDER = Path(__file__).resolve().parent.parent / "demo"
ACCEPTED = {"test": 50, "validation": 20, "train": 26}  # texts that count as accepted from the start
TEXTS_PER_ROUND = 28
UNCHECKED = 10  # each so-manieth text is handed in as it was suggested
HYPERPARAMETERS = {"batch_size": 8, "epochs": 30, "patience": 6}
FORMATS = {"hf": "zip", "parquet": "parquet", "conll": "conll", "jsonl": "jsonl"}

Sentence = dict[str, Any]
TokenSpan = dict[str, Any]


class StageFailed(Exception):
    """A stage did not give what it promises."""


@dataclass(frozen=True)
class Demo:
    """The demo's project and the people in it."""

    slug: str
    manager: Client
    annotator: Client
    reviewer: Client
    gold: dict[str, Sentence]  # by text


@dataclass
class Round:
    """One trained model, and what became of its suggestions."""

    trained_on: int
    f1: float
    promoted: bool
    predicted: int = 0
    labeled: int = 0
    corrected: int = 0
    spans: Counter[str] = field(default_factory=Counter)  # kept, edited, rejected, drawn


def definition() -> dict[str, Any]:
    """Name, labels and guidelines of a demo project."""
    return dict(json.loads((FOLDER / "project.json").read_text(encoding="utf-8")))


def sentences() -> list[Sentence]:
    """The bundled sentences in an order that mixes languages and topics, always the same."""
    with (FOLDER / "sentences.jsonl").open(encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    random.Random(7).shuffle(found)
    return found


def jsonl(rows: Sequence[Sentence]) -> bytes:
    """Sentences as a file to import."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def parts(rows: Sequence[Sentence]) -> Iterator[tuple[str, Sequence[Sentence]]]:
    """The sentences that are accepted from the start, by split; then, with an empty name, those to label."""
    at = 0
    for split, size in ACCEPTED.items():
        yield split, rows[at : at + size]
        at += size
    yield "", rows[at:]


# In ------------------------------------------------------------------------------------------------------


def make_project(manager: Client, password: str) -> Demo:
    """A new project with an annotator and a reviewer of its own."""
    given = definition() | {"name": "Demo loop", "splits": {"validation": 0.1, "test": 0}}
    slug = manager.post("projects", given)["slug"]
    people = {role: f"demo-{role}" for role in ("annotator", "reviewer")}
    for role, username in people.items():
        member = {"username": username, "role": role, "password": password}
        manager.post(f"projects/{slug}/members", member)
    clients = {role: Client.sign_in(manager.address, username, password) for role, username in people.items()}
    return Demo(slug, manager, **clients, gold={row["text"]: row for row in sentences()})


def bring_in(demo: Demo) -> dict[str, int]:
    """Import the sentences: some accepted, by split, the rest to label. Gives the number of each."""
    counts = {}
    for split, rows in parts(sentences()):
        fields = {"annotations": "accept", "split": split} if split else {"annotations": "ignore"}
        name = f"{split or 'open'}.jsonl"
        answer = demo.manager.upload(
            f"projects/{demo.slug}/imports", name=name, content=jsonl(rows), format="jsonl", **fields
        )
        job = demo.manager.finished(job_id(answer))
        if job["error_count"] or job["result"]["documents"] != len(rows):
            raise StageFailed(
                f"Of {len(rows)} sentences in {name} the import took {job['result']}: {job['errors'][:3]}"
            )
        counts[split or "open"] = len(rows)
    return counts


def job_id(answer: dict[str, Any]) -> int:
    """The number of the job in a 202."""
    job = answer["job"]
    return int(job["id"] if isinstance(job, dict) else job)


# Learn ---------------------------------------------------------------------------------------------------


def train(demo: Demo) -> Round:
    """Train on what is accepted and pre-annotate what is open."""
    answer = demo.manager.post(f"projects/{demo.slug}/models", {"hyperparameters": HYPERPARAMETERS})
    result = demo.manager.finished(job_id(answer))["result"]
    model = demo.manager.get(f"models/{result['model']}")
    version = demo.manager.get(f"versions/{model['dataset_version']['id']}")
    job = demo.manager.finished(job_id(demo.manager.post(f"projects/{demo.slug}/predictions")))
    return Round(
        trained_on=version["counts"]["splits"]["train"]["documents"],
        f1=model["metrics"]["micro"]["f1"],
        promoted=model["state"] == "production",
        predicted=job["result"]["predicted"],
    )


def f1_by_language(demo: Demo) -> dict[str, float]:
    """The production model's entity F1 on the test texts of each language, by the spans that REST gives."""
    _, rows = next(parts(sentences()))
    tagged = demo.manager.post(f"projects/{demo.slug}/predict", {"texts": [row["text"] for row in rows]})["results"]
    hits, spans = Counter[str](), Counter[str]()
    for row, result in zip(rows, tagged, strict=True):
        right, found = _places(token_spans(result, row)), _places(result["spans"])
        hits[row["meta"]["lang"]] += len(right & found)
        spans[row["meta"]["lang"]] += len(right) + len(found)
    return {language: 2 * hits[language] / spans[language] for language in sorted(spans)}


def _places(spans: list[dict[str, Any]]) -> set[tuple[int, int, str]]:
    return {(span["start"], span["end"], span["label"]) for span in spans}


# Label ---------------------------------------------------------------------------------------------------


def label(demo: Demo, done: Round, *, texts: int = TEXTS_PER_ROUND) -> None:
    """Label and review some texts; what became of the suggestions is counted into `done`."""
    for number in range(1, texts + 1):
        lease = demo.annotator.post(f"projects/{demo.slug}/assignments")
        if lease is None:
            raise StageFailed(f"The queue gave no text after {number - 1} of {texts}.")
        document, suggestion = lease["document"], lease["suggestion"]
        right = token_spans(document, demo.gold[document["text"]])
        trusts = suggestion is not None and number % UNCHECKED == 0
        annotation = submit(demo, lease, {"tags": suggestion["tags"]} if trusts else {"spans": right})
        done.labeled += 1
        done.spans.update(annotation["suggestion_use"])
        done.corrected += review(demo, annotation, right)


def token_spans(document: dict[str, Any], sentence: Sentence) -> list[TokenSpan]:
    """The gold's character spans as ranges of the document's tokens."""
    starts = {token["start"]: index for index, token in enumerate(document["tokens"])}
    ends = {token["end"]: index + 1 for index, token in enumerate(document["tokens"])}
    return [
        {"start": starts[span["start"]], "end": ends[span["end"]], "label": span["label"]} for span in sentence["spans"]
    ]


def submit(demo: Demo, lease: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """Hand in an annotation of a leased text."""
    revision = lease["annotation"]["revision"] if lease["annotation"] else 0
    body = {**answer, "revision": revision, "state": "submitted"}
    return dict(demo.annotator.put(f"projects/{demo.slug}/documents/{lease['document']['id']}/annotation", body))


def review(demo: Demo, annotation: dict[str, Any], right: list[TokenSpan]) -> bool:
    """Accept the annotation, or correct it where it is wrong; tells which."""
    wrong: bool = annotation["spans"] != right
    body = {"spans": right} if wrong else {"annotation": annotation["id"]}
    demo.reviewer.post(f"projects/{demo.slug}/documents/{annotation['document']}/acceptance", body)
    return wrong


# Out -----------------------------------------------------------------------------------------------------


def freeze(demo: Demo) -> dict[str, Any]:
    """Freeze what is accepted as a dataset version."""
    answer = demo.manager.post(f"projects/{demo.slug}/versions", {"notes": "End of the demo."})
    result = demo.manager.finished(job_id(answer))["result"]
    return dict(demo.manager.get(f"versions/{result['version']}"))


def write_out(demo: Demo, version: dict[str, Any], folder: Path) -> list[Path]:
    """Export the version in each format into `folder`; zips are unpacked beside themselves."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, suffix in FORMATS.items():
        path = folder / f"{demo.slug}-v{version['number']}.{suffix}"
        path.write_bytes(demo.manager.download(f"versions/{version['id']}/export?format={name}"))
        if zipfile.is_zipfile(path):
            zipfile.ZipFile(io.BytesIO(path.read_bytes())).extractall(folder / name)
        written.append(path)
    return written


def read_back(demo: Demo, version: dict[str, Any], folder: Path) -> dict[str, int]:
    """Load the Hugging Face folder and compare each row with the gold. Gives the rows by split."""
    from datasets import DatasetDict, load_from_disk  # slow to import: only a demo that got this far pays

    loaded = load_from_disk(str(folder / "hf"))
    if not isinstance(loaded, DatasetDict):
        raise StageFailed(f"The exported folder holds a {type(loaded).__name__}, not splits.")
    by_id = {sentence["id"]: sentence for sentence in demo.gold.values()}
    for rows in loaded.values():
        names = rows.features["ner_tags"].feature.names
        for row in rows:
            _compare(row["tokens"], [names[tag] for tag in row["ner_tags"]], by_id[row["id"]])
    rows_by_split = {split: len(rows) for split, rows in loaded.items()}
    if sum(rows_by_split.values()) != version["counts"]["documents"]:
        raise StageFailed(f"Version {version['number']} has other counts than its export: {rows_by_split}.")
    return rows_by_split


def _compare(tokens: Sequence[str], tags: Sequence[str], sentence: Sentence) -> None:
    """Raise `StageFailed` unless the tags say what the gold says; blanks within a name do not count."""
    found = [("".join(tokens[span.start : span.end]), span.label) for span in bio.spans(tags)]
    text = sentence["text"]
    right = [(text[span["start"] : span["end"]].replace(" ", ""), span["label"]) for span in sentence["spans"]]
    if found != right:
        raise StageFailed(f"{sentence['id']} was exported with {found}; the gold is {right}.")

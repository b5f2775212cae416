"""What pictures show beside the demo's own data: people who differ, versions, jobs, and content that is hard to show.

Everything goes over REST, as anybody's would, and a server that was furnished before stays as it is.
"""

import json
from collections.abc import Iterator
from typing import Any

from config.demo_stages import job_id, sentences
from config.rest import Client

PASSWORD = "for pictures only"
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"
HARD = f"Fünfzig Etiketten, 多语言文本 und {LONG}"
EMPTY = "Nothing here yet"
TEXTS = [
    "Ada Lovelace met Charles Babbage in London on 5 June 1833 .",
    "张伟上周从上海飞往北京，参加了由清华大学主办的人工智能会议。",
    "قابلت ليلى أحمد في القاهرة يوم الثلاثاء الماضي .",
    "👩‍👩‍👧‍👦 moved from São Paulo to Zürich 🇨🇭 in e\u0301te\u0301 2024 .",
    f"Das Wort {LONG * 4} hat viele Zeichen .",
    "A first line .\n\n\tA second , behind a blank line and a tab .\n\nA third .",
    " ".join(f"Sentence {number} names Person{number} of Town{number} ." for number in range(150)),
]


def furnish(admin: Client, slug: str) -> None:
    """Furnish the project `slug`, and add a hard one, an empty one and one in the trash."""
    if any(project["name"] == HARD for project in _all(admin, "projects")):
        return
    people = {name: _person(admin, slug, name, role) for name, role in (("mei", "annotator"), ("jonas", "reviewer"))}
    admin.patch(f"projects/{slug}", {"overlap": 2})
    _label(admin, slug, people["mei"], people["jonas"])
    for notes in ("The first texts that two people agreed on.", ""):
        admin.finished(job_id(admin.post(f"projects/{slug}/versions", {"notes": notes})))
        waiting = admin.get(f"projects/{slug}/documents?status=submitted&limit=4")["results"]
        for document in waiting:
            _accept(admin, slug, document["id"])
    rules = [{"label": "LOC", "pattern": place} for place in ("London", "Dublin", "Madrid", "北京", "上海")]
    rules += [{"label": "PER", "pattern": "/[A-Z][a-z]+ [A-Z][a-z]+/"}]
    admin.post(f"projects/{slug}/predictors", {"name": "patterns", "kind": "patterns", "options": {"rules": rules}})
    admin.finished(job_id(admin.post(f"projects/{slug}/predictions", {"predictor": "patterns"})))
    admin.finished(job_id(admin.post(f"projects/{slug}/statistics")))
    admin.finished(job_id(admin.post(f"projects/{slug}/duplicates")))
    admin.post(f"projects/{slug}/label-operations", {"operation": "recolor", "label": "PER", "color": "#cc79a7"})
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in TEXTS]
    broken = [*lines, "{not json}", '{"text": ""}', '{"tokens": ["a b"], "tags": ["B-PER", "O"]}']
    _import(admin, slug, "to-try.jsonl", broken, dry_run="true")
    _import(admin, slug, "with-errors.jsonl", broken)
    names = ["PER", "ORG", "LOC", LONG, *(f"LABEL-{number:02}" for number in range(46))]
    labels = [{"name": name, "description": f"What {name} stands for in these texts."} for name in names]
    hard = admin.post(
        "projects", {"name": HARD, "labels": labels, "guidelines": "# Read me\n\n" + "Mark **all**. " * 30}
    )
    _import(admin, hard["slug"], f"{LONG}.jsonl", lines)
    admin.post("projects", {"name": EMPTY, "labels": []})
    gone = admin.post("projects", {"name": "An old trial", "labels": [{"name": "X"}]})
    admin.delete(f"projects/{gone['slug']}")


def _all(client: Client, path: str) -> Iterator[dict[str, Any]]:
    yield from client.get(path)["results"]


def _person(admin: Client, slug: str, name: str, role: str) -> Client:
    admin.post(f"projects/{slug}/members", {"username": name, "role": role, "password": PASSWORD})
    return Client.sign_in(admin.address, name, PASSWORD)


def _label(admin: Client, slug: str, sure: Client, other: Client) -> None:
    """Two people hand in the same texts; every other time they differ."""
    gold = {row["text"]: row["spans"] for row in sentences()}
    for number, row in enumerate(admin.get(f"projects/{slug}/documents?status=pending&limit=14")["results"]):
        path = f"projects/{slug}/documents/{row['id']}"
        document = admin.get(path)
        spans = [span for span in (_tokens(document, span) for span in gold.get(document["text"], [])) if span]
        given = {"revision": 0, "state": "submitted", "seconds": 12.5 + 3 * number}
        flagged = {"flagged": True, "comment": "Is this a person or a company?"} if number % 5 == 2 else {}
        sure.put(f"{path}/annotation", given | flagged | {"spans": spans})
        fewer = spans[:-1] if number % 2 else spans
        if number < 12:
            other.put(f"{path}/annotation", given | {"spans": fewer})


def _tokens(document: dict[str, Any], span: dict[str, Any]) -> dict[str, Any] | None:
    """A span of characters as one of tokens."""
    inside = [
        index
        for index, token in enumerate(document["tokens"])
        if token["start"] >= span["start"] and token["end"] <= span["end"]
    ]
    return {"start": inside[0], "end": inside[-1] + 1, "label": span["label"]} if inside else None


def _accept(admin: Client, slug: str, document: int) -> None:
    annotations = admin.get(f"projects/{slug}/documents/{document}/comparison")["annotations"]
    admin.post(f"projects/{slug}/documents/{document}/acceptance", {"annotation": annotations[0]["id"]})


def _import(admin: Client, slug: str, name: str, lines: list[str], **options: str) -> None:
    content = "\n".join(lines).encode()
    job = admin.upload(f"projects/{slug}/imports", name=name, content=content, format="jsonl", **options)
    admin.finished(job_id(job))

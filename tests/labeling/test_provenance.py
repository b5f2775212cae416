"""Where spans come from: by the pure rule, and as the REST door records it against what was really suggested."""

from typing import Any

from labeling import predictions
from labeling.bio import Span, tags_of
from labeling.models import Annotation, Document
from labeling.predictions import Predicted
from labeling.provenance import Offer, between, trace, use
from tests.labeling.conftest import World

SUGGESTED = [Span(0, 2, "PER"), Span(3, 4, "PER"), Span(5, 6, "LOC"), Span(6, 7, "LOC")]
OFFERS = [Offer(span, "m1", 0.5) for span in SUGGESTED]


def origins(traced: dict[str, Any]) -> list[str]:
    return [span["origin"] for span in traced["spans"]]


def test_the_origin_of_each_span() -> None:
    decided = [Span(0, 2, "PER"), Span(3, 5, "PER"), Span(6, 7, "PER"), Span(7, 8, "LOC")]
    traced = trace(tags_of(decided, 8), OFFERS)
    assert origins(traced) == ["accepted", "edited", "edited", "manual"]
    assert traced["spans"][1] == {
        "start": 3, "end": 5, "label": "PER", "origin": "edited", "model": "m1", "confidence": 0.5,
        "from": {"start": 3, "end": 4, "label": "PER"},
    }  # fmt: skip
    assert traced["rejected"] == [{"start": 5, "end": 6, "label": "LOC", "model": "m1", "confidence": 0.5}]
    assert use(traced) == {"kept": 1, "edited": 2, "rejected": 1, "drawn": 1}


def test_how_a_suggestion_was_used() -> None:
    suggested = ["B-P", "I-P", "O", "B-L", "O", "O", "B-P"]
    decided = ["B-P", "I-P", "O", "B-L", "I-L", "B-X", "O"]
    assert between(suggested, decided) == {"kept": 1, "edited": 1, "rejected": 1, "drawn": 1}


def test_what_is_drawn_over_a_rejected_suggestion_is_manual() -> None:
    traced = trace(tags_of([Span(0, 2, "PER")], 8), OFFERS[:1], rejected={Span(0, 2, "PER")})
    assert origins(traced) == ["manual"]
    assert len(traced["rejected"]) == 1


def test_without_suggestions_all_is_manual() -> None:
    assert trace(tags_of([Span(0, 2, "PER")], 8), []) == {
        "spans": [{"start": 0, "end": 2, "label": "PER", "origin": "manual"}],
        "rejected": [],
    }


def suggested(world: World, *, model: str = "m1", **fields: Any) -> Document:
    document = world.document(**fields)
    tags = tags_of([Span(0, 2, "PER"), Span(6, 7, "LOC")], 8)
    predictions.store([Predicted(document.pk, tags, [0.9, 0.8, 1, 1, 1, 1, 0.6, 1])], model=model)
    return document


def put(world: World, document: Document, **body: Any) -> dict[str, Any]:
    values = {"spans": [{"start": 0, "end": 2, "label": "PER"}], "revision": 0, "state": "submitted"}
    path = world.url(f"/documents/{document.pk}/annotation")
    response = world.client(world.annotator).put(path, values | body, format="json")
    assert response.status_code == 200, response.json()
    return response.json()


def test_a_submission_records_it(world: World) -> None:
    body = put(world, suggested(world))
    assert body["provenance"] == {
        "spans": [{"start": 0, "end": 2, "label": "PER", "origin": "accepted", "model": "m1", "confidence": 0.8}],
        "rejected": [{"start": 6, "end": 7, "label": "LOC", "model": "m1", "confidence": 0.6}],
    }
    assert Annotation.objects.get().provenance == body["provenance"]


def test_a_client_cannot_reject_what_was_never_suggested(world: World) -> None:
    body = put(world, suggested(world), rejected=[{"start": 3, "end": 4, "label": "PER"}])
    assert [each["start"] for each in body["provenance"]["rejected"]] == [6]


def test_what_was_given_out_as_rejected_is_taken_back_as_it_is(world: World) -> None:
    document = suggested(world)
    first = put(world, document)
    again = put(world, document, revision=first["revision"], rejected=first["provenance"]["rejected"])
    assert again["provenance"] == first["provenance"]


def test_the_model_that_was_shown_counts_and_not_a_newer_one(world: World) -> None:
    document = suggested(world)
    predictions.store([Predicted(document.pk, ["O"] * 8, [1.0] * 8)], model="m2")
    assert origins(put(world, document, suggested_by="m1")["provenance"]) == ["accepted"]


def test_who_saw_no_suggestion_accepted_none(world: World) -> None:
    body = put(world, suggested(world), suggested_by="")
    assert (origins(body["provenance"]), body["suggested_by"]) == (["manual"], "")
    held_out = put(world, suggested(world, split="test"), suggested_by="m1")
    assert origins(held_out["provenance"]) == ["manual"]


def test_agreement_per_label(world: World) -> None:
    put(world, suggested(world))  # PER accepted, LOC rejected
    moved = [{"start": 0, "end": 1, "label": "PER"}, {"start": 3, "end": 5, "label": "PER"}]
    put(world, suggested(world), spans=moved)  # PER edited and another drawn, LOC rejected
    put(world, suggested(world), state="draft")  # not decided yet
    body = world.client(world.annotator).get(world.url("/progress")).json()
    assert body["agreement"] == [
        {"label": "LOC", "accepted": 0, "edited": 0, "rejected": 2, "manual": 0, "agreement": 0.0},
        {"label": "PER", "accepted": 1, "edited": 1, "rejected": 0, "manual": 1, "agreement": 0.5},
    ]


def test_flag_and_comment_stay_until_they_are_changed(world: World) -> None:
    document = world.document()
    put(world, document, state="draft", flagged=True, comment="Is this a person?")
    body = put(world, document, revision=1)
    assert (body["flagged"], body["comment"]) == (True, "Is this a person?")
    body = put(world, document, revision=2, flagged=False, comment="")
    assert (body["flagged"], body["comment"]) == (False, "")


def test_the_setting_for_open_suggestions(world: World) -> None:
    client = world.client(world.manager)
    assert client.get(world.url()).json()["open_suggestions"] == "ask"
    assert client.patch(world.url(), {"open_suggestions": "reject"}, format="json").status_code == 200
    assert client.get(world.url()).json()["open_suggestions"] == "reject"
    assert client.patch(world.url(), {"open_suggestions": "guess"}, format="json").status_code == 400


def test_only_members_see_provenance(world: World) -> None:
    document = suggested(world)
    put(world, document)
    path = world.url(f"/documents/{document.pk}/annotation")
    assert world.client(world.stranger).get(path).status_code == 404

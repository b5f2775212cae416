"""Answers kept as rows, errors found in them, models compared by them, and a model's files going out."""

import io
import zipfile
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer, pipeline

from labeling.models import Role
from modelassist import exams, runs, serving, tasks
from modelassist.examples import Examples
from modelassist.models import ExamSheet, ModelVersion
from tests import factories
from tests.modelassist.conftest import done, registered

pytestmark = pytest.mark.django_db


@pytest.fixture
def examined(project, fast: dict[str, Any]) -> ModelVersion:
    """A model that has learned little, so that it makes mistakes."""
    job = done(runs.start(project, project.created_by, fast | {"epochs": 2, "learning_rate": 1e-3}))
    assert job.state == "succeeded", job.message
    return ModelVersion.objects.get(job=job)


def test_every_held_out_document_has_its_sheet(examined: ModelVersion) -> None:
    counts = {"validation": 10, "test": 20}
    for split, documents in counts.items():
        sheets = ExamSheet.objects.filter(model=examined, split=split)
        assert sheets.count() == documents
        result = examined.metrics[split]
        assert sum(sheet.tp for sheet in sheets) + sum(sheet.fn for sheet in sheets) == result["micro"]["support"]
        assert sum(result["errors"].values()) > 0
        assert {row["gold"] for row in result["confusion"]} <= {"", "PER", "LOC"}
        assert result["intervals"].keys() == {"micro", "PER", "LOC"}
    gold = {row.key: row.tags for row in Examples(examined.dataset_version, "test").golds()}
    for sheet in ExamSheet.objects.filter(model=examined, split="test").select_related("document"):
        assert sheet.gold == gold[sheet.document.key]
        assert len(sheet.tags) == len(sheet.gold)
    assert 0.5 <= examined.metrics["temperature"] <= 10


def test_errors_by_kind_and_label(api, client, project, examined: ModelVersion) -> None:
    address = f"/api/v1/models/{examined.pk}/errors"
    reviewer = factories.member(project, role=Role.REVIEWER)
    every = api(reviewer).get(address).json()["results"]
    assert every
    for row in every:
        assert row["errors"]
        assert {"kind", "gold", "predicted"} == set(row["errors"][0])
    seen = {(error["kind"], (error["gold"] or error["predicted"])["label"]) for row in every for error in row["errors"]}
    for kind, label in seen:
        found = api(reviewer).get(address, {"kind": kind, "label": label}).json()["results"]
        assert 0 < len(found) <= len(every)
        assert all(any(error["kind"] == kind for error in row["errors"]) for row in found)
    assert api(reviewer).get(address, {"kind": "no"}).status_code == 400
    assert api(factories.member(project)).get(address).status_code == 403
    assert api(factories.user("stranger")).get(address).status_code == 404
    client.force_login(reviewer)
    page = client.get(f"/models/{examined.pk}/errors/").content.decode()
    assert f"/documents/{every[0]['document']}/" in page
    assert client.get(f"/models/{examined.pk}/errors/", {"kind": "no"}).status_code == 400


def test_the_model_s_page_shows_the_closer_look(client, project, examined: ModelVersion, trained_folder: Path) -> None:
    client.force_login(project.created_by)
    page = client.get(f"/models/{examined.pk}/").content.decode()
    for words in ("95 % interval of F1", "What is taken for what", "seen in training", "Expected calibration error",
                  "overlap is enough", "Temperature"):  # fmt: skip
        assert words in page, words
    other = registered(project, trained_folder)
    assert "never examined on the same" in client.get(f"/models/{examined.pk}/?with={other.number}").content.decode()
    assert client.get(f"/models/{examined.pk}/?with=x").status_code == 200


def test_two_models_side_by_side(api, client, project, examined: ModelVersion, fast: dict[str, Any]) -> None:
    better = ModelVersion.objects.get(job=done(runs.start(project, project.created_by, fast)))
    address = f"/api/v1/models/{better.pk}/comparison/{examined.pk}"
    answer = api(factories.member(project)).get(address).json()
    expected = better.metrics["micro"]["f1"] - examined.metrics["micro"]["f1"]
    assert answer["split"] == "test"
    assert answer["comparison"]["documents"] == 20
    assert answer["comparison"]["difference"] == pytest.approx(expected)
    assert api(factories.user("stranger")).get(address).status_code == 404
    assert api(project.created_by).get(f"/api/v1/models/{better.pk}/comparison/{10**9}").status_code == 404
    client.force_login(project.created_by)
    assert "paired bootstrap" in client.get(f"/models/{better.pk}/?with={examined.number}").content.decode()


def test_models_without_a_common_exam(api, project, examined: ModelVersion, trained_folder: Path) -> None:
    other = registered(project, trained_folder)
    answer = api(project.created_by).get(f"/api/v1/models/{examined.pk}/comparison/{other.pk}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_common_exam")
    project2 = factories.project(manager=project.created_by, name="Other")
    ModelVersion.objects.filter(pk=other.pk).update(project=project2, number=99)
    answer = api(project.created_by).get(f"/api/v1/models/{examined.pk}/comparison/{other.pk}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "other_project")


def test_the_export_is_a_plain_transformers_model(api, project, examined: ModelVersion, tmp_path: Path) -> None:
    answer = api(factories.member(project, role=Role.REVIEWER)).get(f"/api/v1/models/{examined.pk}/export")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].endswith('-model-1.zip"')
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
        archive.extractall(tmp_path)
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: transformers\n")
    assert examined.dataset_version.fingerprint in card
    assert f"| micro | {examined.metrics['micro']['precision']:.3f} |" in card
    model = AutoModelForTokenClassification.from_pretrained(tmp_path)
    assert list(model.config.id2label.values()) == examined.labels
    found = pipeline("token-classification", model=str(tmp_path))("Anna Smith visited Lima Gate .")
    assert all(one["entity"] in examined.labels for one in found)
    pictures = sorted(path.name for path in (tmp_path / "plots").iterdir())
    names = ["labels", "confusion"]  # it found nothing, so there is no curve of what it was sure of
    assert {f"test-{name}.{ending}" for name in names for ending in ("svg", "csv")} <= set(pictures)
    assert {"learning-curve.svg", "training.svg"} <= set(pictures)
    assert all(f"(plots/{name})" in card for name in pictures)
    assert all((tmp_path / "plots" / name).read_text().startswith("<svg") for name in pictures if name.endswith("svg"))
    assert "| `B-PER` | " in card
    assert not (tmp_path / "model.onnx").exists()


def test_the_export_as_onnx_says_what_torch_says(  # type: ignore[no-untyped-def]
    api, project, examined: ModelVersion, tmp_path: Path, monkeypatch
) -> None:
    client = api(factories.member(project, role=Role.REVIEWER))
    address = f"/api/v1/models/{examined.pk}/export"
    monkeypatch.setattr(serving, "_asked", lambda task, model, wait: tasks.write_onnx(model))
    assert client.get(address, {"onnx": "yes"}).status_code == 400
    with monkeypatch.context() as without:
        without.setattr(serving, "find_spec", lambda _: None)
        answer = client.get(address, {"onnx": 1})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "onnx_missing")
    answer = client.get(address, {"onnx": 1})
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        archive.extractall(tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    texts = ["Anna Smith visited Lima Gate .", "w3x", "Lima " * 40]
    given = tokenizer(texts, padding=True, return_tensors="pt")
    model = AutoModelForTokenClassification.from_pretrained(tmp_path, dtype="float32").eval()
    with torch.inference_mode():
        expected = model(**given).logits.numpy()
    runtime = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    (logits,) = runtime.run(
        ["logits"], {name: given[name].numpy() for name in (each.name for each in runtime.get_inputs())}
    )
    seen = given["attention_mask"].numpy().astype(bool)
    assert abs(logits - expected)[seen].max() < 1e-4
    assert not any(name == "model.onnx" for name in _names(client.get(address)))  # only where it is asked for
    with monkeypatch.context() as broken:
        (examined.folder / "model.onnx").unlink()
        broken.setattr("modelassist.onnx_file.write", lambda *_: 1 / 0)
        answer = client.get(address, {"onnx": 1})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "onnx_failed")


def _names(answer: Any) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        return archive.namelist()


def test_who_may_export(api, project, examined: ModelVersion) -> None:
    address = f"/api/v1/models/{examined.pk}/export"
    assert api(factories.member(project)).get(address).status_code == 403
    assert api(factories.user("stranger")).get(address).status_code == 404
    (examined.folder / "config.json").unlink()
    answer = api(project.created_by).get(address)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "model_files_gone")


def test_marks_are_empty_where_all_is_right() -> None:
    assert exams.marks([]) == []

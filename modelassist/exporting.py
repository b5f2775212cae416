"""A trained model on its way out: a zip that transformers loads, with its card. Streamed, never held in memory."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from datasets_app.codecs.sink import Sink
from datasets_app.export import Download
from datasets_app.models import Curation
from modelassist import artifacts
from modelassist.model_card import Facts, card
from modelassist.models import ModelVersion

_CHUNK = 1 << 20


def model(version: ModelVersion) -> Download:
    """The model's files; raises `Conflict` where they are gone."""
    artifacts.require_files(version)
    files = sorted(path for path in version.folder.glob("*") if path.is_file())
    name = f"{version.project.slug}-{version.name}.zip"
    return Download(name, "application/zip", _zipped(version, files))


def _zipped(version: ModelVersion, files: list[Path]) -> Iterator[bytes]:
    sink, made = Sink(), version.created_at.timetuple()[:6]
    with zipfile.ZipFile(sink, "w") as archive:  # stored: weights do not shrink
        archive.writestr(_entry("README.md", made), card(facts(version)))
        for path in files:
            with path.open("rb") as source, archive.open(_entry(path.name, made), "w", force_zip64=True) as target:
                while chunk := source.read(_CHUNK):
                    target.write(chunk)
                    yield sink.drain()
    yield sink.drain()


def _entry(name: str, made: tuple[int, ...]) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, made)  # type: ignore[arg-type]
    entry.external_attr = 0o644 << 16
    return entry


def facts(version: ModelVersion) -> Facts:
    """What its card tells."""
    curation = Curation.objects.filter(project=version.project_id).first()
    return Facts(
        project=version.project.name,
        name=version.name,
        made=version.created_at,
        base_model=version.base_model,
        version=version.dataset_version.number,
        fingerprint=version.dataset_version.fingerprint,
        license=curation.license if curation else "",
        tags=version.labels,
        metrics=version.metrics,
        hyperparameters=version.hyperparameters,
    )

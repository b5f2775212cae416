"""A trained model on its way out: a zip that transformers loads, with its card and its plots.

Streamed: the weights are never held in memory.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from django.utils import translation

from datasets_app.codecs.sink import Sink
from datasets_app.export import Download
from datasets_app.models import Curation
from labeling import drawing
from modelassist import artifacts, learning, plots, serving
from modelassist.model_card import Facts, card
from modelassist.models import ModelVersion

_CHUNK = 1 << 20


def model(version: ModelVersion, *, onnx: bool = False) -> Download:
    """The model's files, its plots, and with `onnx` the network for runtimes without torch.

    Raises `Conflict` where the files are gone, `Unavailable` where a plot or the ONNX file cannot be made.
    """
    artifacts.require_files(version)
    if onnx:
        serving.require_onnx(version)
    files = sorted(path for path in version.folder.glob("*") if path.is_file() and path.suffix != ".partial")
    files = [path for path in files if onnx or path.name != serving.ONNX]
    with translation.override("en"):  # as the card is
        made = plots.of_model(version.labels, version.metrics)
        curve = learning.outlook(version.project)
        made += [plots.learning_curve(curve["points"], curve["forecast"])] if curve["points"] else []
        written = [("README.md", card(facts(version), made).encode())]
        for plot, picture in zip(made, drawing.pictures(made) if made else [], strict=True):
            written += [(f"plots/{plot.name}.svg", picture), (f"plots/{plot.name}.csv", plot.csv().encode())]
    name = f"{version.project.slug}-{version.name}.zip"
    return Download(name, "application/zip", _zipped(version, written, files))


def _zipped(version: ModelVersion, written: list[tuple[str, bytes]], files: list[Path]) -> Iterator[bytes]:
    sink, made = Sink(), version.created_at.timetuple()[:6]
    with zipfile.ZipFile(sink, "w") as archive:  # stored: weights do not shrink
        for name, content in written:
            archive.writestr(_entry(name, made), content)
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

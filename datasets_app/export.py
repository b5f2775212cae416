"""What goes out: the project as it is now, or a frozen version, as a stream of bytes in a format.

Rows are read a page at a time by key, so neither memory nor a transaction grows with the download.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from datasets_app import export_rows, versions
from datasets_app.card import LABEL_CHART, PARQUET_FILE, Facts, card
from datasets_app.codecs import WRITERS, Writer
from datasets_app.models import DatasetVersion
from datasets_app.pictures import label_chart
from datasets_app.records import Gold, Whole
from labeling.errors import Invalid, one_of
from labeling.models import Project, Split

ANNOTATIONS = ("accepted", "everything")


@dataclass(frozen=True, slots=True)
class Download:
    """A file on its way out."""

    name: str
    media_type: str
    chunks: Iterator[bytes]


def project_now(
    project: Project,
    *,
    format: str,
    split: str | None = None,
    scheme: str = "iob2",
    annotations: str = "accepted",
    annotator: str | None = None,
) -> Download:
    """The project as it is now, in the order in which texts came in; raises `Invalid` for an unknown option.

    What is accepted; with `annotator` (a username) what that person has submitted; with `annotations` `everything` all
    texts with all that people and models said about them, in formats that can carry it.
    """
    _require_split(split)
    splits = [split] if split else list(Split.values)
    named = (project.slug, annotator and bare(annotator), split)
    if one_of("annotations", annotations, ANNOTATIONS) == "everything":
        if annotator:
            raise Invalid("Everything is by everybody; leave `annotator` out.", details={"field": "annotator"})
        return _everything("-".join(filter(None, (*named, "everything"))), format, export_rows.whole(project, splits))
    writer = WRITERS[one_of("format", format, WRITERS)]
    if annotator:
        rows = export_rows.by_person(project, export_rows.annotator(project, annotator), splits)
    else:
        rows = export_rows.accepted(project, splits)
    return _text("-".join(filter(None, named)), writer, rows, scheme)


def bare(name: str) -> str:
    """A name as a part of a file's."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)


def carriers() -> list[str]:
    """The formats that can carry everything."""
    return [name for name, writer in WRITERS.items() if writer.everything]


def _everything(name: str, format: str, rows: Iterable[Whole]) -> Download:
    writer = WRITERS[one_of("format", format, carriers())]
    assert writer.everything is not None
    return Download(f"{name}.{writer.ending}", writer.media_type, _gathered(writer.everything(rows)))


def frozen(
    version: DatasetVersion,
    *,
    format: str,
    split: str | None = None,
    scheme: str = "iob2",
    annotations: str = "accepted",
    annotator: str | None = None,
) -> Download:
    """A version, or one split of it; with `annotator` (a username) the texts whose gold is that person's annotation.

    Raises `Invalid` for an unknown option, and for what a version does not hold.
    """
    _require_split(split)
    if one_of("annotations", annotations, ANNOTATIONS) == "everything":
        raise Invalid(
            "A version holds the accepted annotation of each text, whose it was, and its split; not what else people"
            " and models said. Export the project as it is now for that.",
            code="not_in_version",
            details={"field": "annotations"},
        )
    named = (f"{version.project.slug}-v{version.number}", annotator and bare(annotator), split)
    name = "-".join(filter(None, named))
    if format == "hf":
        if annotator:
            message = "A Hugging Face dataset is of the whole version; leave `annotator` out, or choose another format."
            raise Invalid(message, details={"field": "annotator"})
        return _hf(version, name, split)
    person = export_rows.annotator(version.project, annotator) if annotator else None
    rows = versions.items(version, split, person)
    if format == "parquet":
        return _parquet(name, rows, _label_names(version), with_split=not split)
    if format not in WRITERS:
        one_of("format", format, (*WRITERS, "parquet", "hf"))
    return _text(name, WRITERS[format], rows, scheme)


def _require_split(split: str | None) -> None:
    if split:
        one_of("split", split, Split.values)


def _text(name: str, writer: Writer, rows: Iterable[Gold], scheme: str) -> Download:
    if scheme not in writer.schemes and scheme in set().union(*(each.schemes for each in WRITERS.values())):
        able = [name for name, each in WRITERS.items() if scheme in each.schemes]
        raise Invalid(
            f"This format cannot carry the tag scheme {scheme}; choose {', '.join(writer.schemes)},"
            f" or one of the formats that can: {', '.join(able)}.",
            details={"field": "scheme", "allowed": list(writer.schemes), "formats": able},
        )
    one_of("scheme", scheme, writer.schemes)
    return Download(f"{name}.{writer.ending}", writer.media_type, _gathered(writer.write(rows, scheme=scheme)))


def _gathered(pieces: Iterable[bytes], size: int = 1 << 16) -> Iterator[bytes]:
    """The same bytes in chunks worth sending: a chunk a text would cost more than the text."""
    gathered, length = [], 0
    for piece in pieces:
        gathered.append(piece)
        length += len(piece)
        if length >= size:
            yield b"".join(gathered)
            gathered, length = [], 0
    yield b"".join(gathered)


def _hf(version: DatasetVersion, name: str, split: str | None) -> Download:
    from datasets_app.codecs import hf  # pyarrow: only where it is asked for

    chunks = hf.write(
        lambda split: versions.items(version, split),
        splits=[split] if split else list(Split.values),
        labels=_label_names(version),
        card=card(facts := _facts(version, split)),
        pictures={LABEL_CHART: label_chart(_label_names(version), facts.counts["splits"])},
        fingerprint=version.fingerprint,
        made=version.created_at,
    )
    return Download(f"{name}.zip", "application/zip", chunks)


def _parquet(name: str, rows: Iterable[Gold], labels: list[str], *, with_split: bool) -> Download:
    from datasets_app.codecs import arrow  # pyarrow: only where it is asked for

    chunks = arrow.write_parquet(rows, labels, with_split=with_split)
    return Download(f"{name}.parquet", "application/vnd.apache.parquet", chunks)


def card_of(version: DatasetVersion) -> str:
    """The dataset card that goes out beside a version, as Markdown."""
    return card(_facts(version, None))


def write_release(version: DatasetVersion, folder: Path, *, repo: str) -> Iterator[str]:
    """Write a version's card and a Parquet file for each split with texts, as the Hub lays them out; yields splits."""
    from datasets_app.codecs import arrow  # pyarrow: only where it is asked for

    (folder / "data").mkdir()
    for split in Split.values:
        yield split
        if version.counts["splits"][split]["documents"]:
            with (folder / PARQUET_FILE.format(split=split)).open("wb") as out:
                chunks = arrow.write_parquet(versions.items(version, split), _label_names(version), with_split=False)
                out.writelines(chunks)
    facts = _facts(version, None)
    (folder / "README.md").write_text(card(facts, repo=repo), encoding="utf-8")
    (folder / LABEL_CHART).write_text(label_chart(_label_names(version), facts.counts["splits"]), encoding="utf-8")


def _label_names(version: DatasetVersion) -> list[str]:
    return [label["name"] for label in version.labels]


def _facts(version: DatasetVersion, split: str | None) -> Facts:
    splits = {name: version.counts["splits"][name] for name in Split.values if not split or name == split}
    return Facts(
        project=version.project.name,
        number=version.number,
        notes=version.notes,
        fingerprint=version.fingerprint,
        made=version.created_at,
        labels=version.labels,
        guidelines=version.guidelines,
        policy=version.policy,
        counts={**(version.counts if not split else splits[split]), "splits": splits},
        report=versions.report(version),
    )

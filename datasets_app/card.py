"""The dataset card of a version: YAML head that the Hugging Face Hub reads, then what a person wants to know.

Strings in the YAML are JSON strings, which YAML reads as they are.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling import bio

ARROW_FILE = "data-00000-of-00001.arrow"  # of each split's folder, as `codecs.hf` writes it
PARQUET_FILE = "data/{split}-00000-of-00001.parquet"  # as the Hub has it
LABEL_CHART = "labels.svg"  # beside the card
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_REVIEW = {
    "always": "a reviewer accepted each text",
    "disagreement": "a reviewer decided where annotators differed",
    "never": "the first submitted annotation of each text was accepted",
}

_DUPLICATES = {
    "keep": "kept as texts of their own",
    "copy": "kept; one of them was labeled, and its spans were suggested for the others",
    "archive": "left out, but for the first",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells."""

    project: str
    number: int
    notes: str
    fingerprint: str
    made: datetime
    labels: Sequence[Mapping[str, str]]
    guidelines: str
    policy: Mapping[str, Any]
    counts: Mapping[str, Any]
    report: Mapping[str, Any]


def card(facts: Facts, *, repo: str = "") -> str:
    """README.md as Markdown; of a data set of the Hub where `repo` names it, else of a folder."""
    sections = [_head(facts), _counts(facts), _lengths(facts), _split_policy(facts.policy)]
    sections += [_leaks(facts.report), _labels(facts.labels), _provenance(facts), _loading(repo)]
    if citation := facts.policy.get("citation", "").strip():
        sections.append(f"## Citation\n\n{citation}\n")
    if facts.guidelines.strip():
        sections.append(f"## Guidelines for annotators\n\n{facts.guidelines.strip()}\n")
    return _yaml(facts, PARQUET_FILE if repo else f"{{split}}/{ARROW_FILE}") + "\n" + "\n".join(sections)


def _yaml(facts: Facts, file: str) -> str:
    documents = facts.counts["documents"]
    size = next((name for limit, name in _SIZES if documents < limit), "n>1M")
    names = bio.tag_names([label["name"] for label in facts.labels])
    lines = ["---", f"pretty_name: {json.dumps(facts.project, ensure_ascii=False)}"]
    if given := facts.policy.get("license"):
        lines.append(f"license: {json.dumps(given, ensure_ascii=False)}")
    lines.append("task_categories:")
    lines += ["- token-classification", "task_ids:", "- named-entity-recognition", "size_categories:", f"- {size}"]
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split, counted in facts.counts["splits"].items():
        if counted["documents"]:  # load_dataset fails on a split without rows; load_from_disk has it all the same
            lines += [f"  - split: {split}", f"    path: {file.format(split=split)}"]
    lines += ["dataset_info:", "  features:", "  - name: id", "    dtype: string", "  - name: tokens"]
    lines += ["    list: string", "  - name: ner_tags", "    list:", "      class_label:", "        names:"]
    lines += [f"          '{number}': {json.dumps(name, ensure_ascii=False)}" for number, name in enumerate(names)]
    return "\n".join([*lines, "---", ""])


def _head(facts: Facts) -> str:
    notes = f"\n{facts.notes.strip()}\n" if facts.notes.strip() else ""
    return f"# {facts.project}, version {facts.number}\n{notes}"


def _counts(facts: Facts) -> str:
    lines = ["## Counts", "", "| split | texts | tokens | entities | by label |", "|---|---|---|---|---|"]
    for split, counted in (*facts.counts["splits"].items(), ("all", facts.counts)):
        labels = ", ".join(f"{_cell(name)} {count:,}" for name, count in counted["labels"].items())
        lines.append(
            f"| {split} | {counted['documents']:,} | {counted['tokens']:,} | {counted['spans']:,} | {labels} |"
        )
    return "\n".join([*lines, "", f"![Entities by label and split]({LABEL_CHART})", ""])


def _lengths(facts: Facts) -> str:
    lines = ["## Lengths", "", "| split | least | mean | median | 90 % up to | most |", "|---|---|---|---|---|---|"]
    for split in facts.counts["splits"]:
        found = facts.report["lengths"][split]
        row = (found[name] for name in ("least", "mean", "median", "p90", "most"))
        lines.append(f"| {split} | {' | '.join(f'{value:,}' for value in row)} |")
    return "\n".join([*lines, "", "In tokens of a text.", ""])


_BALANCED = "; where a label would have come too far from its share, a group went where its labels were lacking"


def _split_policy(policy: Mapping[str, Any]) -> str:
    validation, test = policy["splits"]["validation"], policy["splits"]["test"]
    key = policy.get("split_by")
    return (
        "## Splits\n\nA text that came with a split keeps it. Any other was given one when it came in, by a stable hash"
        f" of its group: {validation:.0%} validation, {test:.0%} test, the rest train. Texts that are the same or"
        " nearly so are one group, and so are the sentences of one source document"
        + (f" and the texts with one value of `{_cell(key)}`" if key else "")
        + (_BALANCED if policy.get("stratify") else "")
        + f". Duplicates are {_DUPLICATES[policy.get('duplicates', 'keep')]}.\n"
    )


def _leaks(report: Mapping[str, Any]) -> str:
    """Which texts and names of a held-out split stand in another split too."""
    lines = [
        "## Leaks",
        "",
        "| split | in | same texts | near duplicates | entities seen | with another label | unseen |",
    ]
    lines.append("|---|---|---|---|---|---|---|")
    for texts, names in zip(report["leaks"]["texts"], report["leaks"]["entities"], strict=True):
        row = (texts["exact"], texts["near"], names["seen"], names["otherwise"], names["unseen"])
        lines.append(f"| {texts['split']} | {texts['in']} | {' | '.join(f'{value:,}' for value in row)} |")
    lines += ["", "Texts and entity mentions of `split` that stand in the split `in` too, but for case and blanks.", ""]
    return "\n".join(lines)


def _labels(labels: Sequence[Mapping[str, str]]) -> str:
    lines = ["## Labels", "", "| label | meaning |", "|---|---|"]
    lines += [f"| {_cell(label['name'])} | {_cell(label['description'])} |" for label in labels]
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").split())


def _provenance(facts: Facts) -> str:
    policy = facts.policy
    return (
        f"## Provenance\n\nFrozen on {facts.made:%Y-%m-%d %H:%M} UTC as version {facts.number}."
        f" {policy['overlap']} annotator(s) per text; {_REVIEW[policy['review']]}."
        f" Texts that came without tokens were cut by the tokenizer `{policy['tokenizer']}`."
        f" {_people(facts.report['provenance'])}"
        f"\n\nFingerprint: `{facts.fingerprint}` (SHA-256 of labels, texts, tokens, tags and splits)\n"
    )


def _people(found: Mapping[str, Any]) -> str:
    told = [f"The accepted annotations are those of {found['people']} person(s)."]
    agreement, used = found["agreement"], found["suggestions"]
    if agreement["f1"] is not None:
        told.append(
            f"{agreement['texts']:,} text(s) were labeled by several; each two of them agree with an F1 of"
            f" {agreement['f1']:.3f} (exact spans)."
        )
    if shown := used["kept"] + used["edited"] + used["rejected"]:
        told.append(
            f"Suggestions of models were shown for {used['texts']:,} text(s): of {shown:,} spans"
            f" {used['kept'] / shown:.0%} were kept, {used['edited'] / shown:.0%} edited and"
            f" {used['rejected'] / shown:.0%} rejected; {used['drawn']:,} were drawn by hand."
        )
    return " ".join(told)


def _loading(repo: str) -> str:
    if repo:
        code = f'dataset = datasets.load_dataset("{repo}")'
    else:
        code = (
            'dataset = datasets.load_from_disk("path/to/this/folder")'
            '\ndataset = datasets.load_dataset("path/to/this/folder")  # the same rows'
        )
    return f"## Loading\n\n```python\nimport datasets\n\n{code}\n```\n"

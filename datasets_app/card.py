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
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_REVIEW = {
    "always": "a reviewer accepted each text",
    "disagreement": "a reviewer decided where annotators differed",
    "never": "the first submitted annotation of each text was accepted",
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


def card(facts: Facts) -> str:
    """README.md as Markdown."""
    sections = [_head(facts), _counts(facts), _split_policy(facts.policy), _labels(facts.labels)]
    sections += [_provenance(facts), _loading(facts)]
    if facts.guidelines.strip():
        sections.append(f"## Guidelines for annotators\n\n{facts.guidelines.strip()}\n")
    return _yaml(facts) + "\n" + "\n".join(sections)


def _yaml(facts: Facts) -> str:
    documents = facts.counts["documents"]
    size = next((name for limit, name in _SIZES if documents < limit), "n>1M")
    names = bio.tag_names([label["name"] for label in facts.labels])
    lines = ["---", f"pretty_name: {json.dumps(facts.project, ensure_ascii=False)}", "task_categories:"]
    lines += ["- token-classification", "task_ids:", "- named-entity-recognition", "size_categories:", f"- {size}"]
    lines += ["configs:", "- config_name: default", "  data_files:"]
    for split, counted in facts.counts["splits"].items():
        if counted["documents"]:  # load_dataset fails on a split without rows; load_from_disk has it all the same
            lines += [f"  - split: {split}", f"    path: {split}/{ARROW_FILE}"]
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
    return "\n".join([*lines, ""])


def _split_policy(policy: Mapping[str, Any]) -> str:
    validation, test = policy["splits"]["validation"], policy["splits"]["test"]
    return (
        "## Splits\n\nA text that came with a split keeps it. Any other was given one when it came in, by a stable hash"
        f" of its group: {validation:.0%} validation, {test:.0%} test, the rest train. Texts that are the same but"
        " for case, blanks and Unicode forms are one group, and so are the sentences of one source document.\n"
    )


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
        f"\n\nFingerprint: `{facts.fingerprint}` (SHA-256 of labels, texts, tokens, tags and splits)\n"
    )


def _loading(facts: Facts) -> str:
    return (
        '## Loading\n\n```python\nimport datasets\n\ndataset = datasets.load_from_disk("path/to/this/folder")'
        '\ndataset = datasets.load_dataset("path/to/this/folder")  # the same rows\n```\n'
    )

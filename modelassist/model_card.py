"""The model card: YAML head that the Hugging Face Hub reads, then what a person wants to know; pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labeling import bio
from labeling.plots import Plot


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card tells."""

    project: str
    name: str
    made: datetime
    base_model: str
    version: int
    fingerprint: str
    license: str
    tags: list[str]  # the network's classes
    metrics: Mapping[str, Any]
    hyperparameters: Mapping[str, Any]


def card(facts: Facts, plots: Sequence[Plot] = ()) -> str:
    """README.md as Markdown; it shows the plots, which lie in `plots/` as SVG and, with their numbers, as CSV."""
    parts = [_yaml(facts), _head(facts), _scores(facts), _tags(facts), _pictures(plots), _use(facts), _training(facts)]
    return "\n".join(part for part in parts if part)


def _yaml(facts: Facts) -> str:
    lines = ["---", "library_name: transformers", "pipeline_tag: token-classification"]
    if facts.license:
        lines.append(f"license: {json.dumps(facts.license)}")
    if facts.base_model.count("/") == 1 and not facts.base_model.startswith(("/", ".")):
        lines.append(f"base_model: {json.dumps(facts.base_model)}")
    lines += ["tags:", "- named-entity-recognition", "- goldset", "---", ""]
    return "\n".join(lines)


def _head(facts: Facts) -> str:
    labels = list(dict.fromkeys(bio.label_of(tag) for tag in facts.tags if tag != bio.OUTSIDE))
    return (
        f"# {facts.project}: {facts.name}\n\nA BERT that tags tokens as IOB2 with {len(labels)} labels:"
        f" {', '.join(f'`{label}`' for label in labels)}.\n"
    )


def _scores(facts: Facts) -> str:
    split = facts.metrics.get("evaluated_on")
    result = facts.metrics.get(split or "")
    if not result:
        return "## Scores\n\nNo document was held out when it was trained, so there are no scores.\n"
    lines = [f"## Scores\n\nEntities on the {result['documents']:,} documents of `{split}`, exactly matched.\n"]
    lines += ["| label | precision | recall | F1 | 95 % interval of F1 | entities |", "|---|---|---|---|---|---|"]
    for name, row in (*result["labels"].items(), ("micro", result["micro"])):
        low, high = result.get("intervals", {}).get(name, {}).get("f1", (None, None))
        interval = "" if low is None else f"{low:.3f} to {high:.3f}"
        shown = f"{row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} | {interval} | {row['support']:,}"
        lines.append(f"| {name} | {shown} |")
    if calibration := result.get("calibration"):
        error = calibration["spans"]["ece"]
        lines.append(
            f"\nExpected calibration error of an entity's confidence: {error:.3f} (temperature in the weights)."
        )
    return "\n".join([*lines, ""])


def _tags(facts: Facts) -> str:
    """Token by token, as `sklearn` and `seqeval` count tags."""
    result = facts.metrics.get(facts.metrics.get("evaluated_on") or "") or {}
    if not (report := result.get("token_report")):
        return ""
    rows = [(tag, report["tags"][tag]) for tag in facts.tags if tag in report["tags"]]
    rows += [(f"{mean} mean", report[mean]) for mean in ("micro", "macro", "weighted")]
    lines = ["### Tag by tag\n", "| tag | precision | recall | F1 | tokens |", "|---|---|---|---|---|"]
    for name, row in rows:
        shown = " | ".join(f"{row[measure]:.3f}" for measure in ("precision", "recall", "f1"))
        lines.append(f"| `{name}` | {shown} | {row['support']:,} |")
    return "\n".join([*lines, ""])


def _pictures(plots: Sequence[Plot]) -> str:
    if not plots:
        return ""
    shown = [
        f"### {plot.title}\n\n![{plot.title}](plots/{plot.name}.svg)\n\n"
        + f"{plot.note} The numbers: [plots/{plot.name}.csv](plots/{plot.name}.csv).".strip()
        for plot in plots
    ]
    return "## Plots\n\n" + "\n\n".join(shown) + "\n"


def _use(facts: Facts) -> str:
    return (
        "## Use\n\n```python\nfrom transformers import pipeline\n\n"
        'tagger = pipeline("token-classification", model="path/to/this/folder", aggregation_strategy="first")\n'
        'tagger("…")\n```\n\nThe first word piece of a word carries its tag.\n'
    )


def _training(facts: Facts) -> str:
    chosen = "\n".join(f"- `{name}`: {value}" for name, value in facts.hyperparameters.items())
    libraries = ", ".join(f"{name} {version}" for name, version in facts.metrics.get("libraries", {}).items())
    return (
        f"## Training\n\nFrom {facts.base_model} on version {facts.version} of the dataset (fingerprint"
        f" `{facts.fingerprint}`), {facts.made:%Y-%m-%d}. {libraries}\n\n{chosen}\n"
    )

"""Pictures of a version for its card: SVG, written by hand, readable on light and dark pages. Pure."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_BAR, _LEFT, _WIDTH, _HEAD = 22, 150, 420, 30
_SHADES = {"train": "#4477aa", "validation": "#ccbb44", "test": "#ee6677"}  # told apart by most eyes (after Tol 2021)


def label_chart(labels: Sequence[str], splits: Mapping[str, Mapping[str, Any]]) -> str:
    """Spans of each label as a bar, stacked by split; `splits` are a version's counts by split."""
    counts = {name: [(split, counted["labels"].get(name, 0)) for split, counted in splits.items()] for name in labels}
    most = max((sum(count for _, count in row) for row in counts.values()), default=0) or 1
    parts = [_legend(list(splits))]
    for place, (name, row) in enumerate(counts.items()):
        parts += _bar(name, row, top=_HEAD + place * _BAR, scale=_WIDTH / most)
    height, width = _HEAD + len(counts) * _BAR + 6, _LEFT + _WIDTH + 90
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="sans-serif" font-size="12" fill="#888888"><title>Entities by label and split</title>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _legend(splits: Sequence[str]) -> str:
    drawn = []
    for place, split in enumerate(splits):
        left = _LEFT + place * 110
        drawn.append(f'<rect x="{left}" y="8" width="12" height="12" fill="{_SHADES[split]}"/>')
        drawn.append(f'<text x="{left + 18}" y="18">{split}</text>')
    return "\n".join(drawn)


def _bar(name: str, row: Sequence[tuple[str, int]], *, top: int, scale: float) -> list[str]:
    shown = name if len(name) <= 20 else f"{name[:19]}…"
    drawn, left = [f'<text x="{_LEFT - 8}" y="{top + 15}" text-anchor="end">{escape(shown)}</text>'], float(_LEFT)
    for split, count in row:
        width = count * scale
        if count:
            drawn.append(
                f'<rect x="{left:.1f}" y="{top + 3}" width="{width:.1f}" height="16" fill="{_SHADES[split]}"/>'
            )
        left += width
    total = sum(count for _, count in row)
    return [*drawn, f'<text x="{left + 6:.1f}" y="{top + 15}">{total:,}</text>']

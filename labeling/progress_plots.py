"""The plots of how far a project is, each from one count of `labeling.progress`.

`person` limits what is shown to one person's own work: annotators work unseen by each other.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling import access, progress, words
from labeling.models import Document, Project, Role
from labeling.pace import DAYS, Pace, pace
from labeling.plots import BAR, SERIES_MAX, Column, Plot, axis, bars, bars_height, day_format, series

_STATES = ("var(--good)", "var(--plot-5)", "var(--line-strong)")  # accepted, submitted, pending
_FATES = ("var(--plot-3)", "var(--plot-5)", "var(--plot-2)")
Rows = Sequence[Mapping[str, Any]]


def splits(by_split: Mapping[str, Mapping[str, int]]) -> Plot:
    """How many texts of each split are in which state."""
    states = {value: str(label) for value, label in Document.Status.choices}
    columns = {"split": Column(_("Split")), "state": Column(_("State")), "texts": Column(_("Texts"), "count")}
    rows = [
        {"split": str(words.VALUES[split]), "state": states[state], "texts": count, "place": place}
        for split, counts in by_split.items()
        for place, (state, count) in enumerate(reversed(list(counts.items())))
    ]
    drawing = bars(
        "split", "texts", title=_("Texts"), color=series("state", list(reversed(states.values())), _STATES),
        order={"field": "place", "type": "quantitative"},
    )  # fmt: skip
    shown = rows if any(row["texts"] for row in rows) else []
    return Plot("splits", _("Texts by split and state"), columns, shown, drawing, height=bars_height(len(by_split)))


def days(rows: Rows) -> Plot:
    """Texts labeled on each of the last days, by person; those who did least are put together where there are many."""
    columns = {"day": Column(_("Day"), "day"), "person": Column(_("Person")), "texts": Column(_("Texts"), "count")}
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["annotator"]] = totals.get(row["annotator"], 0) + row["submitted"]
    ranked = sorted(totals, key=lambda name: -totals[name])
    shown = ranked if len(ranked) <= SERIES_MAX else ranked[: SERIES_MAX - 1]
    others = _("all others")
    counts: dict[tuple[date, str], int] = {}
    for row in rows:
        key = row["day"], row["annotator"] if row["annotator"] in shown else others
        counts[key] = counts.get(key, 0) + row["submitted"]
    names = [*shown, *([others] if len(shown) < len(ranked) else [])]
    found = [{"day": day.isoformat(), "person": name, "texts": count} for (day, name), count in counts.items()]
    today = timezone.localdate()
    span = [(today - timedelta(days=progress.DAYS - 1)).isoformat(), (today + timedelta(days=1)).isoformat()]
    drawing = {
        "height": 200,
        "mark": {"type": "bar", "width": {"band": 0.8}},
        "encoding": {
            "x": axis(
                "day",
                "day",
                scale={"type": "utc", "domain": span},
                axis={"format": day_format(), "grid": False, "tickCount": 6},
            ),
            "y": axis("texts", "count", title=_("Texts"), axis={"tickMinStep": 1}),
            "color": series("person", names),
        },
    }
    note = _("Texts that people submitted on the last %(days)s days.") % {"days": progress.DAYS}
    return Plot("days", _("Texts by day and person"), columns, found, drawing, note, 260)


def times(people: Rows) -> Plot:
    """How long a text takes each person."""
    columns = {
        "person": Column(_("Person")),
        "texts": Column(_("Texts timed"), "count"),
        "quick": Column(_("A quarter in less than (s)"), "seconds"),
        "median": Column(_("Half in less than (s)"), "seconds"),
        "slow": Column(_("Three quarters in less than (s)"), "seconds"),
    }
    names = {"annotator": "person", "timed": "texts", "quick": "quick", "median": "median", "slow": "slow"}
    rows = [{name: row[key] for key, name in names.items()} for row in people if row["timed"]]
    x = axis("median", "seconds", title=_("Seconds"), scale={"zero": True})
    drawing = {
        "height": {"step": BAR},
        "encoding": {"y": axis("person", sort=None)},
        "layer": [
            {
                "mark": {"type": "bar", "height": {"band": 0.5}, "opacity": 0.45},
                "encoding": {"x": {**x, "field": "quick"}, "x2": {"field": "slow"}},
            },
            {"mark": {"type": "tick", "color": "var(--ink)", "thickness": 2}, "encoding": {"x": x}},
        ],
    }
    note = _("Active seconds for a submitted text: the line is the median, the bar holds the middle half.")
    return Plot("times", _("Time for a text"), columns, rows, drawing, note, bars_height(len(rows)))


def labels(counts: Mapping[str, int], colors: Mapping[str, str]) -> Plot:
    """How many accepted spans each label has."""
    columns = {
        "label": Column(_("Label")),
        "spans": Column(_("Spans"), "count"),
        "share": Column(_("Share"), "share"),
    }
    total = sum(counts.values())
    rows = [
        {"label": name, "spans": count, "share": count / total, "color": colors.get(name, "#888888")}
        for name, count in counts.items()
        if total
    ]
    color = {"field": "color", "type": "nominal", "scale": None, "legend": None}
    drawing = bars("label", "spans", title=_("Spans"), color=color)
    drawing["mark"] |= {"stroke": "var(--line-strong)"}
    return Plot("labels", _("Accepted spans by label"), columns, rows, drawing, height=bars_height(len(rows)))


def agreement(found: Rows) -> Plot:
    """What became of each label's suggestions."""
    fates = {"accepted": _("Accepted"), "edited": _("Edited"), "rejected": _("Rejected")}
    columns = {
        "label": Column(_("Label")),
        **{name: Column(title, "count") for name, title in fates.items()},
        "manual": Column(_("Drawn"), "count"),
        "agreement": Column(_("Agreement"), "share"),
    }
    drawing = bars(
        "label", "count", title=_("Share of suggestions"), color=series("fate", list(fates.values()), _FATES)
    )
    drawing["encoding"]["x"] |= {"stack": "normalize"}
    drawing["encoding"]["x"]["axis"]["format"] = ".0%"
    drawing["encoding"]["order"] = {"field": "place", "type": "quantitative"}
    titled = " : ".join(f"datum.key == '{name}' ? {place}" for place, name in enumerate(fates)) + " : 9"
    drawing["transform"] = [
        {"fold": list(fates), "as": ["key", "count"]},
        {"calculate": titled, "as": "place"},
        {"lookup": "key", "from": {"data": {"values": [{"key": k, "fate": v} for k, v in fates.items()]},
                                   "key": "key", "fields": ["fate"]}},
    ]  # fmt: skip
    note = _("Of each label's suggestions in submitted texts. Agreement: the share that was accepted as it was.")
    title = _("Suggestions and decisions")
    return Plot("agreement", title, columns, list(found), drawing, note, bars_height(len(found)))


def outlook(rows: Rows, left: int) -> Pace | None:
    """When what is left will be labeled, at the pace of the last days without today, by all people together."""
    today = timezone.localdate()
    done = dict.fromkeys((today - timedelta(days=ago) for ago in range(DAYS, 0, -1)), 0)
    for row in rows:
        if row["day"] in done:
            done[row["day"]] += row["submitted"]
    return pace(list(done.values()), left)


def person_shown(viewer: User | AnonymousUser, project: Project) -> str | None:
    """Whose work alone the viewer sees: annotators see their own; None: everybody's."""
    return viewer.get_username() if access.role_in(viewer, project) == Role.ANNOTATOR else None


def own(rows: Rows, person: str | None) -> Rows:
    """The rows of one person, or all."""
    return rows if person is None else [row for row in rows if row["annotator"] == person]


# By name, for the door that gives each as a file.
PLOTS: Mapping[str, Callable[[Project, str | None], Plot]] = {
    "splits": lambda project, person: splits(progress.documents(project)["by_split"]),
    "days": lambda project, person: days(own(progress.days(project, by_hand=True), person)),
    "times": lambda project, person: times(own(progress.people(project), person)),
    "labels": lambda project, person: labels(
        progress.labels(project), dict(project.labels.values_list("name", "color"))
    ),
    "agreement": lambda project, person: agreement(progress.agreement(project) if person is None else []),
}

"""Plots of models: each valid by the library itself, with the numbers of the report and nothing that it lacks."""

import pytest
import vl_convert

from modelassist import plots
from modelassist.decode import Tagset
from modelassist.evaluation import evaluate
from modelassist.forecast import Point, forecast
from modelassist.report import Report

LABELS = ["PER", "LOC", "N" * 120]
TAGS = Tagset.of_labels(LABELS)
PAIRS = [
    (["B-PER", "O", "B-LOC"], ["B-PER", "O", "B-PER"], [0.9, 1.0, 0.4]),
    (["B-PER", "O", "O"], ["B-PER", "O", "B-LOC"], [0.8, 1.0, 0.3]),
    (["B-LOC", "O", "O"], ["O", "O", "O"], [0.9, 1.0, 0.9]),
]
CURVE = [{"epoch": epoch, "loss": 1 / epoch, "f1": None if epoch == 1 else 0.5} for epoch in (1, 2, 3)]


def result() -> dict:
    report = Report(LABELS)
    for gold, predicted, confidences in PAIRS:
        report.add(["x"] * 3, gold, predicted, confidences)
    return evaluate([pair[:2] for pair in PAIRS], TAGS).as_json() | report.as_json()


def metrics() -> dict:
    return {"curve": CURVE, "test": result(), "validation": None}


def test_every_plot_is_valid_and_has_its_rows() -> None:
    found = {plot.name: plot for plot in plots.of_model(TAGS.names, metrics())}
    parts = ("labels", "confusion", "precision-recall", "reliability")
    assert list(found) == ["training", *(f"test-{part}" for part in parts)]
    for plot in found.values():
        vl_convert.vegalite_to_vega(plot.spec())
        assert set(plot.columns) <= set(plot.rows[0])


def test_the_numbers_are_those_of_the_report() -> None:
    found = {plot.name: plot for plot in plots.of_model(TAGS.names, metrics())}
    exam = result()
    labels = found["test-labels"].rows
    assert [row["label"] for row in labels] == [*LABELS, "all"]
    assert [row["f1"] for row in labels[:-1]] == [exam["labels"][label]["f1"] for label in LABELS]
    assert (labels[-1]["f1"], labels[-1]["low"]) == (exam["micro"]["f1"], exam["intervals"]["micro"]["f1"][0])
    confusion = {(row["gold"], row["predicted"]): (row["count"], row["share"]) for row in found["test-confusion"].rows}
    assert confusion == {
        ("PER", "PER"): (2, 1.0),
        ("LOC", "PER"): (1, 0.5),
        ("LOC", "no entity"): (1, 0.5),
        ("no entity", "LOC"): (1, 1.0),
    }
    curve = found["test-precision-recall"].rows
    assert [(row["threshold"], row["precision"], row["recall"]) for row in curve] == [
        (0.3, 0.5, 0.5), (0.4, pytest.approx(2 / 3), 0.5), (0.8, 1.0, 0.5), (0.9, 1.0, 0.25),
    ]  # fmt: skip
    assert [(row["from"], row["spans"], row["right"]) for row in found["test-reliability"].rows] == [
        (0.3, 1, 0.0), (0.4, 1, 0.0), (0.8, 1, 1.0), (0.9, 1, 1.0),
    ]  # fmt: skip


def test_models_from_before_a_figure_lack_its_plot() -> None:
    exam = evaluate([pair[:2] for pair in PAIRS], TAGS).as_json()
    found = plots.of_model(TAGS.names, {"curve": [], "test": exam})
    assert [plot.name for plot in found] == ["test-labels"]
    assert found[0].rows[0]["low"] is None
    vl_convert.vegalite_to_vega(found[0].spec())


def test_intervals_of_shares_are_wilsons() -> None:
    # Brown, Cai & DasGupta 2001: they stay within 0 and 1 where the usual one does not.
    assert plots.wilson(1.0, 10) == (pytest.approx(0.7225, abs=1e-4), 1.0)
    assert plots.wilson(0.5, 100) == (pytest.approx(0.4038, abs=1e-4), pytest.approx(0.5962, abs=1e-4))


@pytest.mark.parametrize("count", [0, 1, 3, 40])
def test_the_learning_curve_at_any_number_of_models(count: int) -> None:
    points = [Point(100 * number, 1 - 0.5 / number, 0.02, f"model-{number}") for number in range(1, count + 1)]
    ahead = forecast(points, [100 * count, 200 * count]) if count else []
    plot = plots.learning_curve(points, ahead)
    vl_convert.vegalite_to_vega(plot.spec())
    assert [row["of"] for row in plot.rows] == [point.name for point in points] + ["forecast"] * len(ahead)
    assert all(row["low"] <= row["f1"] <= row["high"] for row in plot.rows)

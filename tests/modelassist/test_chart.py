"""The training curve as numbers of a drawing."""

from modelassist.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, chart


def points(text: str) -> list[tuple[float, float]]:
    pairs = [pair.split(",") for pair in text.split()]
    return [(float(x), float(y)) for x, y in pairs]


def test_lines_span_the_drawing() -> None:
    drawn = chart([{"epoch": 1, "loss": 2.0, "f1": 0.0}, {"epoch": 2, "loss": 0.0, "f1": 1.0}])
    assert drawn is not None
    assert points(drawn.loss) == [(LEFT, TOP), (WIDTH - RIGHT, HEIGHT - BOTTOM)]
    assert points(drawn.f1) == [(LEFT, HEIGHT - BOTTOM), (WIDTH - RIGHT, TOP)]
    assert [mark.text for mark in drawn.losses] == ["0.00", "1.00", "2.00"]


def test_epochs_without_validation_have_no_line_and_one_epoch_no_drawing() -> None:
    drawn = chart([{"epoch": epoch, "loss": 0.0, "f1": None} for epoch in range(1, 31)])
    assert drawn is not None
    assert drawn.f1 == ""
    assert [mark.text for mark in drawn.epochs][:2] == ["1", "4"]
    assert chart([{"epoch": 1, "loss": 1.0, "f1": None}]) is None

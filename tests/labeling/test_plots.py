"""Plots as values: valid by the library itself, their numbers as text, and drawn as files."""

import csv
import io
import struct
from xml.etree import ElementTree as ET

import pytest
import vl_convert
from django.utils import translation

from labeling import drawing
from labeling.errors import Invalid, Unavailable
from labeling.plots import Column, Plot, bars, locale, written
from labeling.templatetags.goldset import percent

HOSTILE = ['<a&"', "=1+1", "שלום", "地点", "x" * 300, "a,b\n"]
ROWS = [{"label": name, "spans": 10 * place, "unseen": 1} for place, name in enumerate(HOSTILE)]
PLOT = Plot(
    "labels", "Labels", {"label": Column("Label"), "spans": Column("Spans", "count")}, ROWS, bars("label", "spans")
)


def test_the_library_takes_the_specification_and_shows_what_the_table_shows() -> None:
    compiled = vl_convert.vegalite_to_vega(PLOT.spec())
    assert next(data["values"] for data in compiled["data"] if "values" in data) == ROWS
    marks = next(mark for mark in compiled["marks"] if mark["type"] == "rect")
    assert "Spans" in str(marks["encode"]["update"]["tooltip"])


def test_numbers_as_a_file_are_those_of_the_rows() -> None:
    head, *rows = csv.reader(io.StringIO(PLOT.csv()))
    assert head == ["label", "spans"]
    assert rows == [["'=1+1" if name == "=1+1" else name, str(row["spans"])] for name, row in zip(HOSTILE, ROWS)]
    assert drawing.file(PLOT, "csv").decode() == PLOT.csv()


def test_files_are_drawn_in_the_light_colors() -> None:
    svg = drawing.file(PLOT, "svg").decode()
    texts = [text.text for text in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]  # noqa: S314
    assert {'<a&"', "שלום", "地点"} <= set(texts)
    assert "var(--" not in svg
    assert "#4477aa" in svg  # the first series of tokens.css
    png = drawing.file(PLOT, "png")
    width, height = struct.unpack(">II", png[16:24])
    assert png.startswith(b"\x89PNG")
    assert width > 1000
    assert height > 200


def test_another_ending_is_refused_and_what_cannot_be_drawn_is_told() -> None:
    with pytest.raises(Invalid, match="svg, png, csv"):
        drawing.file(PLOT, "pdf")
    broken = Plot("broken", "", {}, [], {"mark": "no such mark"})
    with pytest.raises(Unavailable, match="could not be drawn"):
        drawing.file(broken, "svg")


def test_numbers_are_rounded() -> None:
    assert written(2 / 3, 3) == "0.667"
    assert percent(0.99996) == "100.0 %"
    with translation.override("de"):
        assert written(1234.5678, 2) == "1.234,57"


def test_numbers_and_days_follow_the_language() -> None:
    with translation.override("de"):
        assert locale()["number"]["decimal"] == ","
        assert locale()["time"]["months"][0] == "Januar"
        assert locale()["time"]["days"][0] == "Sonntag"

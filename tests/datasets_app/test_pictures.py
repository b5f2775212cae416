"""The card's picture: a bar for each label, as long as it has spans, and safe whatever labels are called."""

from xml.etree import ElementTree as ET

from datasets_app.pictures import label_chart

SVG = "{http://www.w3.org/2000/svg}"


def counts(**labels: int) -> dict:
    return {"labels": labels}


def test_bars_are_as_long_as_there_are_spans():
    splits = {"train": counts(PER=30, LOC=10), "validation": counts(PER=10), "test": counts()}
    root = ET.fromstring(label_chart(["PER", "LOC"], splits))  # noqa: S314
    bars = [rect for rect in root.iter(f"{SVG}rect") if rect.get("height") == "16"]
    widths = [float(bar.get("width", "0")) for bar in bars]
    assert [round(width / widths[2], 2) for width in widths] == [3.0, 1.0, 1.0]
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts == ["train", "validation", "test", "PER", "40", "LOC", "10"]


def test_hostile_names_and_nothing_at_all():
    root = ET.fromstring(label_chart(['<a&"', "x" * 90], {"train": counts()}))  # noqa: S314
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert texts[1:] == ['<a&"', "0", "x" * 19 + "…", "0"]
    assert ET.fromstring(label_chart([], {"train": counts()})) is not None  # noqa: S314

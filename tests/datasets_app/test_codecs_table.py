"""The table of formats: what others add to it through an entry point, and what they cannot break."""

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from datasets_app import codecs
from datasets_app.codecs import plain

OTHERS = """
from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.records import Record, Survey

def survey(path, options):
    return Survey(1)

def read(path, options, found):
    yield Record(1, path.read_text().upper())

def write(rows, *, scheme):
    for gold in rows:
        yield gold.text.encode()

CODEC = Codec("shout", "Loud", Reader(survey, read, (".shout",)), Writer(write, "shout", "text/plain"))
TAKEN = Codec("txt", "Another", Reader(survey, read, (".txt",)))
"""
PROBE = """
from datasets_app import codecs
print("shout" in codecs.READERS and "shout" in codecs.WRITERS)
print(codecs.recognize("some.shout", b"words"))
print(codecs.CODECS["txt"].title)
"""


def test_an_installed_package_brings_a_format(tmp_path: Path) -> None:
    (tmp_path / "others.py").write_text(OTHERS)
    metadata = tmp_path / "others-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1.0\n")
    points = "[goldset.codecs]\nshout = others:CODEC\ntaken = others:TAKEN\ngone = others:GONE\nodd = others:read\n"
    (metadata / "entry_points.txt").write_text(points)
    paths = os.pathsep.join([str(tmp_path), str(Path(codecs.__file__).parents[2])])
    done = subprocess.run(
        [sys.executable, "-c", PROBE], env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True
    )
    assert done.stdout.split("\n")[:3] == ["True", "shout", codecs.CODECS["txt"].title], done.stderr
    assert "a format of that name is there already" in done.stderr
    assert "codec gone cannot be loaded" in done.stderr
    assert "codec odd: others:read is no" in done.stderr


def test_each_own_format_has_a_name_of_its_own() -> None:
    assert len({codec.name for codec in codecs._OWN}) == len(codecs._OWN)


def test_a_codec_can_be_given_by_its_entry_point() -> None:
    point = EntryPoint("txt", "datasets_app.codecs.plain:CODEC", codecs.GROUP)
    assert codecs._with_others([], [point]) == {"txt": plain.CODEC}

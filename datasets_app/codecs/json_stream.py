"""The objects of a JSON file, one at a time, however they are laid out: a line each, an array, or one after another.

Only the layout is looked at here: what is given is the text of each object with the line on which it begins (its
place in the array, if that stands on one line), or None for one over the limit. A file of one object a line survives a
broken line; elsewhere, what follows a broken object up to the next place where one can begin is given as one text,
which is then refused.
"""

import json
import re
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path

from datasets_app.codecs.lines import BOM, numbered
from datasets_app.records import LINE_BYTES_MAX

HEAD = 1 << 16
CHUNK = 1 << 20
_DECODER = json.JSONDecoder()
_BETWEEN = re.compile(r"[\s,]*")
# Where the next object of an array may begin again after a broken one: at the head of a line, or after a comma.
_AGAIN = re.compile(r"(?<=\n)\s*\{|(?<=\}),\s*\{")


def objects(path: Path) -> Iterator[tuple[int, str | None]]:
    """Each object's line, or place, and text; the file must have been through `lines.prepare`."""
    with path.open("rb") as stream:
        if stream.read(len(BOM)) != BOM:
            stream.seek(0)
        at = stream.tell()
        head = stream.read(HEAD).decode("utf-8", "ignore")
        stream.seek(0)
        if _is_lines(head):
            yield from ((number, line) for number, line in numbered(stream) if line is None or line.strip())
        else:
            stream.seek(at)
            found = _Loose(TextIOWrapper(stream, "utf-8", newline="")).objects()
            on_one_line = "\n" not in head.strip()
            yield from ((number if on_one_line else line, text) for number, (line, text) in enumerate(found, 1))


def _is_lines(head: str) -> bool:
    """Whether each line stands for itself: not if an array opens the file, nor if an object goes over its line."""
    line, _, rest = head.lstrip().partition("\n")
    if line.startswith("["):
        return bool(rest.strip()) and _ends_within(line)
    if not line.startswith("{") or _ends_within(line):
        return True
    try:
        _DECODER.raw_decode(head.lstrip())
    except (ValueError, RecursionError):
        return line.rstrip() not in ("{", "[") and len(head) < HEAD
    return False


def _ends_within(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


class _Loose:
    """A window over the file's text that moves from object to object."""

    def __init__(self, stream: TextIOWrapper) -> None:
        self.stream = stream
        self.text, self.at, self.line, self.over = "", 0, 1, False

    def objects(self) -> Iterator[tuple[int, str | None]]:
        self._more()
        self._move(_BETWEEN.match(self.text).end())  # type: ignore[union-attr]
        if self.text[self.at : self.at + 1] == "[":
            self._move(self.at + 1)
        while self._skip_between():
            line = self.line
            end = self._end_of_object()
            text = self.text[self.at : end]
            self._move(end)
            if text.strip() != "]":
                yield line, text if len(text) <= LINE_BYTES_MAX else None

    def _skip_between(self) -> bool:
        while True:
            self._move(_BETWEEN.match(self.text, self.at).end())  # type: ignore[union-attr]
            if self.at < len(self.text):
                return True
            if not self._more():
                return False

    def _end_of_object(self) -> int:
        """Where the value that begins here ends; if it is broken, where the next may begin."""
        while True:
            try:
                return _DECODER.raw_decode(self.text, self.at)[1]
            except (ValueError, RecursionError):
                # More text may complete it, up to the size that an object may have.
                if self.text[self.at] == "]" or len(self.text) - self.at > LINE_BYTES_MAX or not self._more():
                    break
        if self.text[self.at] == "]":
            return self.at + 1
        again = _AGAIN.search(self.text, self.at + 1)
        return again.end() - 1 if again else len(self.text)

    def _more(self) -> bool:
        chunk = self.stream.read(CHUNK)
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)

    def _move(self, to: int) -> None:
        self.line += self.text.count("\n", self.at, to)
        self.at = to

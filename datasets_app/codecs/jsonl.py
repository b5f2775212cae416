"""JSON lines, in and out.

`{"text", "spans"?: [{"start", "end", "label"}], "id"?, "split"?, "meta"?}` with code-point offsets, or
`{"tokens", "tags" or "ner_tags", …}`; both may stand together. Fields that are not known become meta.
What `write` gives, `read` takes back to the same text, grid, tags, key, split and meta.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from datasets_app.codecs.codec import Codec, Reader, Writer
from datasets_app.codecs.lines import numbered, too_long
from datasets_app.grids import align
from datasets_app.records import CharSpan, Failure, Gold, ReadOptions, Record, Refused, Survey, ascii_safe, shown
from labeling import bio, tokens

_TAG_FIELDS = ("tags", "ner_tags")
_KNOWN = {"id", "text", "tokens", "offsets", "spans", "split", "meta", *_TAG_FIELDS}


def survey(path: Path, options: ReadOptions) -> Survey:
    """Count the lines, and find the scheme of their tags."""
    evidence, records = bio.SchemeEvidence(), 0
    with path.open("rb") as stream:
        for _, line in numbered(stream):
            records += line is None or bool(line.strip())
            if options.tags and line and ('"tags"' in line or '"ner_tags"' in line):
                evidence.add(_tags_if_any(line))
    return Survey(records, evidence.scheme)


def _tags_if_any(line: str) -> list[str]:
    try:
        values = json.loads(line)
        tags: list[Any] = next((values[name] for name in _TAG_FIELDS if values.get(name)), [])
        return [tag for tag in tags if isinstance(tag, str)]
    except (ValueError, TypeError, AttributeError, RecursionError):  # `read` says what is wrong with the line
        return []


def read(path: Path, options: ReadOptions, found: Survey) -> Iterator[Record | Failure]:
    """One record a line; blank lines are passed over."""
    with path.open("rb") as stream:
        for number, line in numbered(stream):
            if line is None:
                yield too_long(number)
            elif line.strip():
                try:
                    yield _record(number, _parsed(line), options, found.scheme)
                except Refused as refused:
                    yield refused.at(number)


def _parsed(line: str) -> dict[str, Any]:
    if "\0" in line or "\\u0000" in line:
        raise Refused("nul", "The line holds a NUL character, which no text has; remove it.")
    try:
        values = json.loads(line, parse_constant=_refuse_constant)
        if "\\u" in line or "e" in line.lower():  # half a surrogate pair, or a number such as 1e999
            json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError as error:
        raise Refused(
            "lone_surrogate",
            f"The line holds half a surrogate pair ({shown(error.object[error.start])}), which is no character.",
        ) from None
    except (ValueError, RecursionError) as error:
        raise Refused("bad_json", f"Not JSON: {ascii_safe(str(error))}. Give one object a line.") from None
    if not isinstance(values, dict):
        raise Refused("bad_json", f'The line is {shown(line.strip())}, not an object such as {{"text": …}}.')
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON has")


def _record(line: int, values: Mapping[str, Any], options: ReadOptions, scheme: str) -> Record:
    text, grid = _text_and_grid(values)
    tags = _tags(values, scheme) if options.tags else None
    if tags is not None and grid is None:
        raise Refused("tags_without_tokens", "There are tags but no `tokens`; give the tokens that they belong to.")
    return Record(
        line,
        text,
        grid=grid,
        tags=tags,
        spans=_spans(values.get("spans")) if options.tags else None,
        key=_key(values.get("id")),
        split=_optional(values, "split", str),
        meta=_meta(values),
    )


def _text_and_grid(values: Mapping[str, Any]) -> tuple[str, tuple[Sequence[int], Sequence[int]] | None]:
    text, words = _optional(values, "text", str), _strings(values, "tokens")
    if words is None:
        if text is None:
            raise Refused("no_text", "The object has neither `text` nor `tokens`.")
        return text, None
    if not words:
        raise Refused("no_tokens", "`tokens` is an empty list; there is nothing to label.")
    for index, word in enumerate(words):
        if not word or "\n" in word or "\t" in word:
            raise Refused(
                "bad_token", f"Token {index} is {shown(word)}; a token has no line break or tab and is not empty."
            )
    if text is None:
        text, *grid = tokens.join(words)
        return text, (grid[0], grid[1])
    return text, align(words, text, offsets=values.get("offsets"))


def _optional(values: Mapping[str, Any], name: str, kind: type) -> Any:
    value = values.get(name)
    if value is not None and not isinstance(value, kind):
        raise Refused("bad_field", f"`{name}` is {shown(value)}; it must be {_KINDS[kind]}.")
    return value


_KINDS: dict[type, str] = {str: "a string", dict: "an object", list: "a list"}


def _strings(values: Mapping[str, Any], name: str) -> list[str] | None:
    found: list[Any] | None = _optional(values, name, list)
    for index, item in enumerate(found or ()):
        if not isinstance(item, str):
            raise Refused("bad_field", f"`{name}[{index}]` is {shown(item)}; every one must be a string.")
    return found


def _tags(values: Mapping[str, Any], scheme: str) -> list[str] | None:
    name = next((name for name in _TAG_FIELDS if values.get(name) is not None), None)
    if name is None:
        return None
    if isinstance(values[name], list) and values[name] and isinstance(values[name][0], int):
        raise Refused("numbered_tags", f'`{name}` holds numbers; give the tags by name, such as "B-PER".')
    try:
        return bio.decode(_strings(values, name) or [], scheme)
    except bio.IllegalTags as error:
        raise Refused("illegal_tag", f"`{name}[{error.index}]`: {ascii_safe(error.message)}") from None


def _spans(given: Any) -> list[CharSpan] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        raise Refused("bad_field", f"`spans` is {shown(given)}; it must be a list.")
    return [_span(index, item) for index, item in enumerate(given)]


def _span(index: int, item: Any) -> CharSpan:
    if isinstance(item, dict):
        start, end, label = (item.get(name) for name in ("start", "end", "label"))
        if type(start) is int and type(end) is int and isinstance(label, str):
            return CharSpan(start, end, label)
    raise Refused("bad_span", f'`spans[{index}]` is {shown(item)}; give {{"start", "end", "label"}}.')


def _key(given: Any) -> str | None:
    if given is None or isinstance(given, str):
        return given or None
    if type(given) is int:
        return str(given)
    raise Refused("bad_field", f"`id` is {shown(given)}; it must be a string or a whole number.")


def _meta(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = {name: value for name, value in values.items() if name not in _KNOWN}
    return unknown | (_optional(values, "meta", dict) or {})


# Out -----------------------------------------------------------------------------------------------------


def write(rows: Iterable[Gold], *, scheme: str = "iob2") -> Iterator[bytes]:
    """One line a text, tags in `scheme`."""
    for gold in rows:
        yield json.dumps(as_object(gold, scheme=scheme), ensure_ascii=False).encode() + b"\n"


def as_object(gold: Gold, *, scheme: str = "iob2") -> dict[str, Any]:
    """The object of one text. `offsets` stand there only where tokens and text do not tell them."""
    words = gold.tokens
    found: dict[str, Any] = {"id": gold.key, "text": gold.text, "tokens": words}
    if not _told_by(words, gold):
        found["offsets"] = [list(pair) for pair in zip(gold.starts, gold.ends, strict=True)]
    found["tags"] = bio.encode(gold.tags, scheme)
    found["spans"] = [
        {"start": gold.starts[span.start], "end": gold.ends[span.end - 1], "label": span.label}
        for span in bio.spans(gold.tags)
    ]
    found["split"] = gold.split
    return found | ({"meta": gold.meta} if gold.meta else {})


def _told_by(words: Sequence[str], gold: Gold) -> bool:
    try:
        starts, _ = align(words, gold.text)
    except Refused:
        return False
    return list(starts) == list(gold.starts)


CODEC = Codec(
    "jsonl",
    "JSONL: an object a line, with spans or tokens",
    Reader(survey, read, (".jsonl", ".ndjson", ".json")),
    Writer(write, "jsonl", "application/x-ndjson", bio.SCHEMES),
)

"""One JSON object, or one row of a table, as a record: our own fields, and those of other tools through `dialects`.

`{"text", "spans"?: [{"start", "end", "label"}], "id"?, "split"?, "meta"?}`, or `{"tokens", "tags" or "ner_tags", …}`;
both may stand together. Fields that are not known become meta.
"""

import json
from collections.abc import Mapping, Sequence
from math import isinf
from typing import Any, NoReturn

from datasets_app.codecs import dialects, units
from datasets_app.codecs.units import GivenSpan
from datasets_app.grids import align
from datasets_app.records import CharSpan, ReadOptions, Record, Refused, ascii_safe, shown
from labeling import bio, tokens

NESTED_MAX = 400  # far below what Python's own limit is
_TAG_FIELDS = ("tags", "ner_tags")
_KNOWN = {"id", "text", "tokens", "offsets", "spans", "split", "meta", *_TAG_FIELDS}


def tags_if_any(line: str) -> list[str]:
    """The tags of a line, for a look at their scheme; nothing where the line is wrong."""
    if not any(name in line for name in _WITH_TAGS) and not ('"labels"' in line and '"tokens"' in line):
        return []
    try:
        return tags_of(json.loads(line))
    except (ValueError, RecursionError):  # `read` says what is wrong with the line
        return []


_WITH_TAGS = ('"tags"', '"ner_tags"', '"ner"', '"ner_labels"', '"words"')


def tags_of(given: Any) -> list[str]:
    """The tags of an object by name; nothing where it is wrong."""
    try:
        values, *_ = dialects.translate(given, ReadOptions())
        tags: list[Any] = next((values[name] for name in _TAG_FIELDS if values.get(name)), [])
        return [tag for tag in tags if isinstance(tag, str)]
    except (TypeError, AttributeError, Refused):
        return []


def parsed(line: str) -> dict[str, Any]:
    """The object of a line; raises `Refused` if it is none, or holds what no database can store."""
    if "\0" in line or "\\u0000" in line:
        raise Refused("nul", "The line holds a NUL character, which no text has; remove it.")
    try:
        values = _DECODER.decode(line)
        if "\\u" in line or line.count("[") + line.count("{") > NESTED_MAX:  # half a surrogate pair, or too deep
            json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Refused(
            "lone_surrogate",
            f"The line holds half a surrogate pair ({shown(error.object[error.start])}), which is no character.",
        ) from None
    except (ValueError, RecursionError) as error:
        raise Refused("bad_json", f"Not JSON: {ascii_safe(str(error))}. Give one object a line.") from None
    if isinstance(values, list) and len(values) == 2 and isinstance(values[0], str) and isinstance(values[1], dict):
        values = {**values[1], "text": values[0]}  # as spaCy's examples were before version 3
    if not isinstance(values, dict):
        raise Refused("bad_json", f'The line is {shown(line.strip())}, not an object such as {{"text": …}}.')
    return values


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number that JSON has")


def _finite(number: str) -> float:
    if isinf(value := float(number)):
        raise ValueError(f"{shown(number)} is too large a number")
    return value


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite)


def record(line: int, given: Mapping[str, Any], options: ReadOptions, scheme: str) -> Record:
    """The record of an object; raises `Refused`."""
    values, unit, remarks = dialects.translate(given, options)
    text, grid = _text_and_grid(values)
    tags = _tags(values, scheme, options.tag_names) if options.tags else None
    if tags is not None and grid is None:
        raise Refused("tags_without_tokens", "There are tags but no `tokens`; give the tokens that they belong to.")
    return Record(
        line,
        text,
        grid=grid,
        tags=tags,
        spans=_spans(text, values.get("spans"), options.offsets, unit) if options.tags else None,
        key=_key(values.get("id")),
        split=_optional(values, "split", str),
        meta=_meta(values),
        remarks=remarks,
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


def _tags(values: Mapping[str, Any], scheme: str, names: Sequence[str]) -> list[str] | None:
    name = next((name for name in _TAG_FIELDS if values.get(name) is not None), None)
    if name is None:
        return None
    try:
        return bio.decode(_named(values, name, names), scheme)
    except bio.IllegalTags as error:
        raise Refused("illegal_tag", f"`{name}[{error.index}]`: {ascii_safe(error.message)}") from None


def _named(values: Mapping[str, Any], name: str, names: Sequence[str]) -> list[str]:
    """The tags by name; `names` says what numbers stand for."""
    given = values[name]
    if not isinstance(given, list) or not given or type(given[0]) is not int:
        return _strings(values, name) or []
    if not names:
        raise Refused(
            "numbered_tags", f'`{name}` holds numbers; say in `tag_names` what they stand for, such as "O,B-PER,I-PER".'
        )
    for index, number in enumerate(given):
        if type(number) is not int or not 0 <= number < len(names):
            raise Refused("bad_field", f"`{name}[{index}]` is {shown(number)}; {len(names)} tag names are given.")
    return [names[number] for number in given]


def _spans(text: str, given: Any, asked: str, usual: str) -> list[CharSpan] | None:
    if given is None:
        return None
    if not isinstance(given, list):
        raise Refused("bad_field", f"`spans` is {shown(given)}; it must be a list.")
    found = [_span(index, item) for index, item in enumerate(given)]
    return units.settle(text, found, asked=asked, usual=usual) if text else [_bare(span) for span in found]


def _bare(span: GivenSpan) -> CharSpan:
    return CharSpan(span.start, span.end, span.label)


def _span(index: int, item: Any) -> GivenSpan:
    start = end = label = surface = None
    if isinstance(item, dict):
        start, end, label = item.get("start"), item.get("end"), item.get("label")
        if label is None or start is None:  # doccano's and pipelines' names for the same
            start, end = item.get("start_offset", start), item.get("end_offset", end)
            label = item.get("label", item.get("entity_group", item.get("type")))
        surface = item.get("text")
    elif isinstance(item, list) and len(item) == 3:
        start, end, label = item
    if type(start) is int and type(end) is int and isinstance(label, str):
        return GivenSpan(start, end, label, surface if isinstance(surface, str) else None)
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

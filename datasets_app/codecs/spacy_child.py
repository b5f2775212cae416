"""spaCy at work in a process of its own: `.spacy` to JSON lines, and JSON lines to `.spacy`.

Run as `python -m datasets_app.codecs.spacy_child read PATH` or `… write`, which goes from standard input to standard
output. In a process of its own since spaCy would bring torch into whichever process loads it; here it is kept out.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from labeling.tokens import tokenize


def main(arguments: list[str]) -> int:
    """Exit status 0; 2 if the file is none of spaCy's, 3 if spaCy is not installed."""
    sys.modules["torch"] = None  # type: ignore[assignment]  # spaCy does without
    try:
        from spacy.tokens import Doc, DocBin
        from spacy.vocab import Vocab
    except ImportError as error:
        print(error, file=sys.stderr)
        return 3
    if arguments[0] == "write":
        _write(Doc, DocBin, Vocab())
        return 0
    try:
        docs = DocBin().from_disk(Path(arguments[1])).get_docs(Vocab())
        for doc in docs:
            print(json.dumps(_values(doc), default=str))
    except BrokenPipeError:  # nobody reads any more
        return 0
    except Exception as error:
        print(f"{type(error).__name__}: {error}"[:300], file=sys.stderr)
        return 2
    return 0


def _values(doc: Any) -> dict[str, Any]:
    """The object of one text: blanks that are tokens of spaCy's are none of ours."""
    tokens = [token for token in doc if tokenize(token.text)[0]]
    found: dict[str, Any] = {
        "text": doc.text,
        "tokens": [token.text for token in tokens],
        "offsets": [[token.idx, token.idx + len(token.text)] for token in tokens],
    }
    groups = [] if doc.ents or not len(doc.spans) else list(next(iter(doc.spans.values())))
    if groups or doc.has_annotation("ENT_IOB"):
        spans = groups or doc.ents
        found["spans"] = [{"start": s.start_char, "end": s.end_char, "label": s.label_} for s in spans]
    own = {name: value for name, value in doc.user_data.items() if isinstance(name, str)}
    found |= {name: own.pop(name) for name in ("id", "split") if isinstance(own.get(name), str)}
    meta = own.pop("meta", None)
    return found | {"meta": own | (meta if isinstance(meta, dict) else {})}


def _write(doc_class: Any, bin_class: Any, vocab: Any) -> None:
    store = bin_class(attrs=["ENT_IOB", "ENT_TYPE"], store_user_data=True)
    for line in sys.stdin.buffer:
        values = json.loads(line)
        words, spaces, tags = zip(*_words(values), strict=True)
        doc = doc_class(vocab, words=words, spaces=spaces, ents=tags)
        doc.user_data.update({name: values[name] for name in ("id", "split", "meta") if values.get(name)})
        store.add(doc)
    sys.stdout.buffer.write(store.to_bytes())


def _words(values: dict[str, Any]) -> Iterator[tuple[str, bool, str]]:
    """Words, whether a blank follows, and tags, such that the words and blanks make up the whole text."""
    text, at, before = values["text"], 0, "O"
    pending: tuple[str, str] | None = None
    for (start, end), tag in zip(values["offsets"], values["tags"], strict=True):
        inside = f"I-{tag[2:]}" if tag.startswith("I-") else "O"
        gap = text[at:start]
        if pending is not None:
            yield pending[0], gap.startswith(" "), pending[1]
            gap = gap.removeprefix(" ")
        if gap:
            yield gap, False, inside if before != "O" else "O"
        pending, at, before = (text[start:end], tag), end, tag
    assert pending is not None
    rest = text[at:]
    yield pending[0], rest.startswith(" "), pending[1]
    if rest := rest.removeprefix(" "):
        yield rest, False, "O"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

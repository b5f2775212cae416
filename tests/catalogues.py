"""The catalogues of translations under locale/: `python -m tests.catalogues` brings them up to date.

Three of them per language. `django`: what templates and Python say by `gettext`. `djangojs`: what static/js says by
`gettext`. `messages`: what verbs and jobs say, in English, whoever asks; a page or an answer tells it again in the
reader's language (`labeling.catalogues`). The .po files are for people; the .mo files beside them are what is read.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
APPS = ("labeling", "datasets_app", "modelassist", "config")
DOMAINS = ("django", "djangojs", "messages")
PYTHON = {
    "_": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2), "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2), "pgettext_lazy": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
}  # fmt: skip
# What speaks English only: descriptions of the REST door, files that go out, and what is said to who runs it.
ENGLISH = {
    "serializers.py", "card.py", "model_card.py", "admin.py", "settings.py", "demo.py", "demo_stages.py", "up.py",
    "metrics.py", "embedded.py", "prepare.py", "data_dir.py", "processes.py", "rest.py",
}  # fmt: skip
SAYS = {"message", "complaint", "reason", "note", "detail"}  # names of what is told to people
FAULTS = {"RuntimeError", "ValueError", "TypeError", "KeyError", "AssertionError", "ImproperlyConfigured"}


def languages() -> list[str]:
    """The languages that there are catalogues for, as Django names their folders."""
    return sorted(path.name for path in (ROOT / "locale").iterdir() if path.is_dir())


def source(domain: str) -> Catalog:
    """The catalogue of what the source says, without translations."""
    catalog = Catalog(project="Goldset", charset="utf-8", domain=domain)
    for place, text, context in {"django": _django, "djangojs": _scripts, "messages": _messages}[domain]():
        flags = ["python-format"] if domain == "django" and "%(" in str(text) else []
        catalog.add(text, locations=[(place, 0)], context=context, flags=flags)
    return catalog


Said = tuple[str, str | tuple[str, ...], str | None]


def _django() -> Iterator[Said]:
    for path in sorted((ROOT / "templates").rglob("*.html")):
        stream = templatize(path.read_text(), origin=str(path))
        yield from _extracted("python", path, re.sub(r"(?m)^[ \t]+", "", stream).encode())
    for path in _modules():
        yield from _extracted("python", path, path.read_bytes())


def _scripts() -> Iterator[Said]:
    for path in sorted((ROOT / "static/js").rglob("*.js")):
        yield from _extracted("javascript", path, path.read_bytes())


def _extracted(kind: str, path: Path, code: bytes) -> Iterator[Said]:
    options = {"encoding": "utf-8", "template_string": "false"}
    for _, text, _, context in extract(kind, BytesIO(code), keywords=PYTHON, options=options):
        yield str(path.relative_to(ROOT)), text, context


def _modules() -> list[Path]:
    found = (path for app in APPS for path in (ROOT / app).rglob("*.py"))
    return sorted(path for path in found if "migrations" not in path.parts)


# Messages: sentences in the code, as patterns with a named place for each value ----------------------------


def _messages() -> Iterator[Said]:
    for path in _modules():
        if path.name in ENGLISH or "templatetags" in path.parts:
            continue
        reader = Sentences()
        reader.visit(ast.parse(path.read_text()))
        for text in reader.found:
            yield str(path.relative_to(ROOT)), text, None


class Sentences(ast.NodeVisitor):
    """The strings of a module that are told to people: sentences, and what is given a name of `SAYS`."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def visit_body(self, node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Without the docstring."""
        has_docstring = ast.get_docstring(node) is not None
        for each in [*getattr(node, "decorator_list", []), *node.body[has_docstring:]]:
            self.visit(each)

    visit_Module = visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = visit_body

    def visit_Raise(self, node: ast.Raise) -> None:
        """Faults of ours are not told to people."""
        if not (isinstance(node.exc, ast.Call) and isinstance(node.exc.func, ast.Name) and node.exc.func.id in FAULTS):
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Nor is what cannot happen."""

    def visit_Expr(self, node: ast.Expr) -> None:
        """Nor are docstrings of attributes."""
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """What is translated where it stands, and what goes to the log, is not for us."""
        called = ast.unparse(node.func)
        if called.split(".")[-1] in PYTHON or called.startswith(("logger.", "warnings.", "re.")) or called == "Path":
            return
        if called in ("OpenApiParameter", "extend_schema", "inline_serializer"):
            return
        if called.endswith(".execute") or called in ("RunSQL", "RawSQL"):
            for each in node.args[1:]:
                self.visit(each)
            return
        if called == "Codec":
            self._say(node.args[1])  # what it is called in lists
        for argument in node.args:
            self.visit(argument)
        for keyword in node.keywords:
            if keyword.arg in SAYS:
                self._say(keyword.value)
            elif keyword.arg not in ("help_text", "db_comment", "verbose_name", "title"):
                self.visit(keyword.value)
        self.visit(node.func)

    def visit_Assign(self, node: ast.Assign) -> None:
        """`message = …` is told, even where it is no sentence."""
        names = {target.id for target in node.targets if isinstance(target, ast.Name)}
        self._say(node.value) if names & SAYS else self.visit(node.value)

    def visit_Dict(self, node: ast.Dict) -> None:
        """So is `{"reason": …}`."""
        for key, value in zip(node.keys, node.values, strict=True):
            says = isinstance(key, ast.Constant) and key.value in SAYS
            self._say(value) if says else self.visit(value)

    def visit_Constant(self, node: ast.Constant) -> None:
        """A sentence."""
        self._take(node, sure=False)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """A sentence with values in it, which may be sentences themselves."""
        self._take(node, sure=False)
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.visit(part.value)

    def _say(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant | ast.JoinedStr):
            self._take(node, sure=True)
            if isinstance(node, ast.JoinedStr):
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        self.visit(part.value)
        elif isinstance(node, ast.IfExp):
            self._say(node.body)
            self._say(node.orelse)
        else:
            self.visit(node)

    def _take(self, node: ast.Constant | ast.JoinedStr, *, sure: bool) -> None:
        text = pattern(node)
        words = re.sub(r"\{\w+\}", "", text)
        if not re.search(r"[a-z]{2,}", words):
            return
        if sure or (
            re.search(r"[.?!]$", text) and re.search(r"[a-z,] [a-z]", words) and not text.startswith((" ", "\n"))
        ):
            self.found.append(text)


def pattern(node: ast.Constant | ast.JoinedStr) -> str:
    """`f"{name!r} is no label."` as `{name} is no label.`; values without a name get one."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    pieces: list[str] = []
    taken: list[str] = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            pieces.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            name = _name(part.value)
            taken.append(name)
            pieces.append(f"{{{name}{taken.count(name) if taken.count(name) > 1 else ''}}}")
    return "".join(pieces)


def _name(node: ast.expr) -> str:
    """The last name in an expression: `count` for `self.count`, `item` for `shown(item)`."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
        return node.slice.value
    names = re.findall(r"[a-z_]\w*", ast.unparse(node))
    return names[-1] if names and names[-1].isidentifier() else "value"


# Files ---------------------------------------------------------------------------------------------------


def po(language: str, domain: str) -> Path:
    """Where a catalogue is kept for people."""
    return ROOT / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def kept(language: str, domain: str) -> Catalog:
    """The catalogue as it is kept, with its translations."""
    path = po(language, domain)
    if not path.exists():
        return Catalog(locale=language, domain=domain, charset="utf-8")
    with path.open("rb") as file:
        return read_po(file, locale=language, domain=domain)


def compiled(catalog: Catalog) -> bytes:
    """The .mo file of a catalogue."""
    out = BytesIO()
    write_mo(out, catalog)
    return out.getvalue()


def update(language: str, domain: str) -> list[str]:
    """Bring a catalogue up to date with the source; gives what is not translated yet."""
    catalog = kept(language, domain)
    catalog.update(source(domain), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.fuzzy = False
    catalog.header_comment = f"# Goldset: {domain}, {language}. Brought up to date by `make messages`."
    catalog.project, catalog.version = "Goldset", "1"
    catalog.last_translator = catalog.language_team = catalog.msgid_bugs_address = "Goldset"
    catalog.creation_date = catalog.revision_date = datetime(2026, 1, 1, tzinfo=UTC)  # or else each run would differ
    path = po(language, domain)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, sort_output=True, omit_header=False, include_lineno=False)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return missing(catalog)


def missing(catalog: Catalog) -> list[str]:
    """What has no translation."""
    return [str(entry.id) for entry in catalog if entry.id and not all(forms(entry.string))]


def forms(text: str | Sequence[str] | None) -> Sequence[str]:
    """A text with one form, or with those of its plural."""
    return [text or ""] if isinstance(text, str | None) else text


if __name__ == "__main__":
    for language in languages():
        for domain in DOMAINS:
            print(f"{language} {domain}: {len(update(language, domain))} not translated")

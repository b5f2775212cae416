"""The catalogues hold all that the source says, each of it translated; and nothing is said past them."""

import ast
import gettext
import re
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import pytest
from django import forms
from django.utils import translation

from tests import catalogues
from tests.catalogues import DOMAINS, ROOT, languages

CATALOGUES = [(language, domain) for language in languages() for domain in DOMAINS]
ASK = "run `make messages`, translate what is new in the .po file, and run it again"
PLACES = re.compile(r"%\(\w+\)s|%%|\{\w+\}|</?[a-z][^>]*>")
# Words of templates that are the same in every language.
NAMES = {
    "Goldset", "F1", "PER", "ORG", "DATE", "PERSON", "HTTP", "null", "kB", "Ada", "Lovelace", "inc", "ltd", "owner",
    "name", "text", "id", "split",
}  # fmt: skip
TOLD = {"placeholder", "aria-label", "title", "data-confirm", "alt"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_a_catalogue_holds_what_the_source_says(language: str, domain: str) -> None:
    said = {(entry.context, entry.id) for entry in catalogues.source(domain) if entry.id}
    kept = {(entry.context, entry.id) for entry in catalogues.kept(language, domain) if entry.id}
    assert said - kept == set(), f"not in {language}/{domain}.po: {ASK}"
    assert kept - said == set(), f"in {language}/{domain}.po, but said no more: {ASK}"


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_all_of_it_is_translated_with_the_same_places(language: str, domain: str) -> None:
    catalog = catalogues.kept(language, domain)
    assert catalogues.missing(catalog) == []
    for entry in catalog:
        if not entry.id:
            continue
        *_, most = catalogues.forms(entry.id)
        for form in catalogues.forms(entry.string):
            assert sorted(set(PLACES.findall(form))) == sorted(set(PLACES.findall(most))), form


@pytest.mark.parametrize(("language", "domain"), CATALOGUES)
def test_what_is_read_is_what_people_wrote(language: str, domain: str) -> None:
    path = catalogues.po(language, domain).with_suffix(".mo")
    with path.open("rb") as file:
        read = gettext.GNUTranslations(file)
    for entry in catalogues.kept(language, domain):
        if not entry.id:
            continue
        if isinstance(entry.id, str):
            told = read.pgettext(entry.context, entry.id) if entry.context else read.gettext(entry.id)
            assert told == entry.string, f"{path.name} is older than its .po: {ASK}"
        else:
            one, many = entry.id
            assert read.ngettext(one, many, 2) == catalogues.forms(entry.string)[-1], f"{path.name} is old: {ASK}"


class Bare(HTMLParser):
    """Words of a template that stand outside translations, code and keys."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.within: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Attributes that are read out."""
        if tag in ("code", "kbd", "script", "style"):
            self.within.append(tag)
        for name, value in attrs:
            if name in TOLD:
                self._take(value or "")

    def handle_endtag(self, tag: str) -> None:
        """Out of code."""
        if self.within and self.within[-1] == tag:
            self.within.pop()

    def handle_data(self, data: str) -> None:
        """Text."""
        if not self.within:
            self._take(data)

    def _take(self, text: str) -> None:
        self.words += [word for word in re.findall(r"[A-Za-z]\w+", text) if word not in NAMES]


TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_says_nothing_past_the_catalogue(path: Path) -> None:
    text = path.read_text()
    text = re.sub(r"\{% block (?:main_class|htmx) %\}.*?\{% endblock %\}", "", text)
    text = re.sub(r"\{% blocktranslate.*?\{% endblocktranslate %\}", "", text, flags=re.DOTALL)
    bare_defaults = re.findall(
        r"""(?:default(?:_if_none)?|yesno|pluralize):"[^"]*[A-Za-z]{2}[^"]*"(?!\|word)|text="[A-Za-z]""", text
    )
    assert [found for found in bare_defaults if "Goldset" not in found] == [], "use default:_(…)"
    parser = Bare()
    parser.feed(re.sub(r"\{[%#{].*?[%#}]\}", "", text, flags=re.DOTALL))
    assert parser.words == [], "wrap it in {% translate %} or {% blocktranslate %}"


@pytest.mark.parametrize("path", sorted((ROOT / "static/js").rglob("*.js")), ids=lambda path: path.name)
def test_a_script_says_nothing_past_the_catalogue(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text(), flags=re.DOTALL)
    code = re.sub(r"\bn?gettext\((\s*\"[^\"]*\",?)+", "", code)
    said = re.findall(
        r"\"[A-Z][a-z]+ [^\"]+\"|\"[A-Z][a-z]+[.…]\"|`[A-Z][a-z]+ [^`]*`|textContent = [\"`][A-Za-z][^\"`]*", code
    )
    assert said == [], "wrap it in gettext()"


def _forms() -> list[type[forms.BaseForm]]:
    found = []
    for app in catalogues.APPS:
        for path in sorted((ROOT / app).glob("*.py")):
            if "forms.ModelForm" in path.read_text() or "forms.Form" in path.read_text():
                tree = ast.parse(path.read_text())
                names = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
                module = import_module(f"{app}.{path.stem}")
                found += [each for name in names if issubclass(each := getattr(module, name), forms.BaseForm)]
    return found


@pytest.mark.parametrize("form", _forms(), ids=lambda form: form.__name__)
def test_the_fields_of_a_form_have_names_in_chinese(form: type[forms.BaseForm]) -> None:
    with translation.override("zh-hans"):
        for name, field in form.base_fields.items():
            assert CHINESE.search(str(field.label)), f"{name}: {field.label}"
            assert not field.help_text or CHINESE.search(str(field.help_text)), f"{name}: {field.help_text}"
            for value, choice in getattr(field, "choices", []):
                assert value in ("", choice) or CHINESE.search(str(choice)), f"{name}: {choice}"

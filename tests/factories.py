"""Rows for tests, with as little said as possible: `document(project(), "Ada met Bob .")`."""

from functools import cache
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User

from labeling import tokens
from labeling.models import Document, Label, Membership, Project, Role

PASSWORD = "a long pass phrase"
_number = count(1)


def user(name: str = "", *, superuser: bool = False) -> User:
    """A person with `PASSWORD`."""
    name = name or f"person{next(_number)}"
    return User.objects.create(username=name, password=_hashed(), is_superuser=superuser, is_staff=superuser)


@cache
def _hashed() -> str:
    """Hashing is slow on purpose; once a run is enough."""
    return make_password(PASSWORD)


def project(*, manager: User | None = None, labels: tuple[str, ...] = ("PER", "LOC"), **fields: Any) -> Project:
    """A project with labels and one manager."""
    number = next(_number)
    manager = manager or user()
    values = {"slug": f"project-{number}", "name": f"Project {number}", "created_by": manager}
    made = Project.objects.create(**(values | fields))
    member(made, manager, Role.MANAGER)
    for position, name in enumerate(labels, 1):
        Label.objects.create(project=made, name=name, color="#56b4e9", hotkey=str(position), position=position)
    return made


def member(of: Project, person: User | None = None, role: Role = Role.ANNOTATOR) -> User:
    """A person with a role in the project."""
    person = person or user()
    Membership.objects.create(project=of, user=person, role=role)
    return person


def document(of: Project, text: str = "Ada Lovelace met Charles Babbage in London .", **fields: Any) -> Document:
    """A text of the project, cut by its tokenizer."""
    starts, ends = tokens.tokenize(text, of.tokenizer)
    key = f"key{next(_number)}"
    values = {"key": key, "group_key": key, "split": "train", "priority": 0.5}
    return Document.objects.create(project=of, text=text, token_starts=starts, token_ends=ends, **(values | fields))

"""A small project with its people, made through the verbs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from labeling import projects, tokens
from labeling.models import Document, Project, Role

TEXT = "Ada Lovelace met Charles Babbage in London ."


@dataclass
class World:
    """A project, its people by role, and ready-made clients."""

    project: Project
    manager: User
    reviewer: User
    annotator: User
    second: User
    stranger: User

    def client(self, user: User) -> APIClient:
        client = APIClient()
        client.force_authenticate(user)
        return client

    def url(self, path: str = "") -> str:
        return f"/api/v1/projects/{self.project.slug}{path}"

    def document(self, text: str = TEXT, **fields: Any) -> Document:
        starts, ends = tokens.tokenize(text)
        values: dict[str, Any] = {
            "key": f"k{Document.objects.count()}", "split": "train", "group_key": "g", "priority": 0.5,
            "token_starts": starts, "token_ends": ends,
        }  # fmt: skip
        return Document.objects.create(project=self.project, text=text, **(values | fields))

    def tags(self, document: Document, *spans: tuple[int, int, str]) -> list[str]:
        from labeling.bio import Span, tags_of

        return tags_of([Span(*span) for span in spans], len(document.token_starts))


@pytest.fixture
def world(db: None) -> World:
    manager, reviewer, annotator, second, stranger = (
        User.objects.create_user(name) for name in ("manager", "reviewer", "annotator", "second", "stranger")
    )
    project = projects.create(
        manager, name="People and places", labels=[{"name": "PER"}, {"name": "LOC", "hotkey": "l"}], held_out_rate=0.0
    )
    for user, role in ((reviewer, Role.REVIEWER), (annotator, Role.ANNOTATOR), (second, Role.ANNOTATOR)):
        projects.set_member(project, manager, username=user.username, role=role)
    return World(project, manager, reviewer, annotator, second, stranger)


Check = Callable[..., None]


@pytest.fixture
def rights(world: World) -> Check:
    """Check who may do a request: `rights("post", path, needs=Role.MANAGER, body={...})`."""

    def check(method: str, path: str, *, needs: Role, body: dict[str, Any] | None = None) -> None:
        def status(user: User) -> int:
            return getattr(world.client(user), method)(world.url(path), body or {}, format="json").status_code

        assert status(world.stranger) == 404
        people = {Role.ANNOTATOR: world.annotator, Role.REVIEWER: world.reviewer, Role.MANAGER: world.manager}
        for role, user in people.items():
            if role.rank < needs.rank:
                assert status(user) == 403, role
        assert APIClient().generic(method.upper(), world.url(path)).status_code == 401
        assert status(people[needs]) < 300

    return check

"""The first manager's login and the migrations: made once, and never twice."""

import stat
from pathlib import Path

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User

from config import prepare
from tests import factories


@pytest.fixture
def kept(settings, tmp_path, monkeypatch) -> Path:
    """Where a made-up password is kept; nothing is given by the environment."""
    settings.DATA_DIR = tmp_path
    monkeypatch.delenv("GOLDSET_ADMIN_USER", raising=False)
    monkeypatch.delenv("GOLDSET_ADMIN_PASSWORD", raising=False)
    return tmp_path / "admin_password"


def test_a_made_up_password_opens_the_door_and_is_kept_privately(db, kept):
    prepare.ensure_manager()
    user = authenticate(username="admin", password=kept.read_text().strip())
    assert user is not None
    assert user.is_superuser
    assert len(kept.read_text().strip()) >= 16
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_given_login_is_used_and_not_written_down(db, kept, monkeypatch):
    monkeypatch.setenv("GOLDSET_ADMIN_USER", "boss")
    monkeypatch.setenv("GOLDSET_ADMIN_PASSWORD", "secret pass phrase")
    prepare.ensure_manager()
    assert authenticate(username="boss", password="secret pass phrase")
    assert not kept.exists()


def test_a_second_start_changes_nothing(db, kept, monkeypatch):
    prepare.ensure_manager()
    password = kept.read_text()
    monkeypatch.setenv("GOLDSET_ADMIN_PASSWORD", "another pass phrase")
    prepare.ensure_manager()
    assert User.objects.count() == 1
    assert authenticate(username="admin", password=password.strip())


def test_an_account_of_that_name_without_rights_becomes_the_manager(db, kept):
    factories.user("admin")
    prepare.ensure_manager()
    assert User.objects.get().is_superuser


def test_nothing_is_migrated_when_nothing_is_missing(db, monkeypatch):
    monkeypatch.setattr(prepare, "call_command", lambda *args, **options: pytest.fail("migrated again"))
    prepare.migrate()

"""What stands before the first request: migrations, the first manager's login, the demo project.

`python -m config.prepare` is safe to repeat and to run twice at once (a lock in the database), and quick
when there is nothing to do. `config.up` and the `migrate` service of docker-compose.yml run it.
"""

import os
import secrets

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.data_dir import write_private

LOCK = 0x60_1D_5E7


def main() -> None:
    """Bring database and accounts to where this version of the code expects them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        migrate()
        ensure_manager()
        _forget_dead_workers()
        if os.environ.get("DEMO") == "1":
            from config.demo import ensure_demo_project

            ensure_demo_project()


def migrate() -> None:
    """Apply the migrations that are missing."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=1)


def ensure_manager() -> None:
    """Make the first manager, who is a superuser, when there is none.

    A password that we make up is kept in DATA_DIR/admin_password: written before the account is, so that
    a crash in between leaves no account that nobody can enter.
    """
    from django.contrib.auth.models import User

    if User.objects.filter(is_superuser=True).exists():
        return
    name = os.environ.get("GOLDSET_ADMIN_USER") or "admin"
    password = os.environ.get("GOLDSET_ADMIN_PASSWORD")
    if not password:
        password = secrets.token_urlsafe(12)
        write_private(settings.DATA_DIR / "admin_password", password + "\n")
    user, _ = User.objects.get_or_create(username=name)
    user.is_staff = user.is_superuser = True
    user.set_password(password)
    user.save()


def _forget_dead_workers() -> None:
    from config.health import forget_workers

    forget_workers()


if __name__ == "__main__":
    main()

"""What stands before the first request: migrations, the first manager's login, the demo project.

`python -m config.prepare` is safe to repeat and to run twice at once (a lock in the database), and quick
when there is nothing to do. `config.up` and the `migrate` service of docker-compose.yml run it.
"""

import gzip
import os
import secrets
import sys
from importlib.metadata import version

import django
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config.data_dir import write_private
from labeling.errors import GoldsetError

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
        ensure_plot_library()
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


def ensure_plot_library() -> None:
    """Put the plotting library's script among the static files, unless it is there in the installed version.

    Pages have their numbers as tables, so a machine on which it cannot be made serves them all the same.
    """
    from labeling import drawing

    path = settings.DATA_DIR / "made" / "js" / "vega.js"
    head = f"/* vl-convert-python {version('vl-convert-python')} */\n".encode()
    if path.is_file() and path.read_bytes().startswith(head):
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        script = head + drawing.library()
    except GoldsetError as error:
        print(f"Pages will have tables, but no plots: {error.message}", file=sys.stderr)
        return
    for target, content in ((path.with_name("vega.js.gz"), gzip.compress(script)), (path, script)):
        partial = target.with_name(f"{target.name}.partial")
        partial.write_bytes(content)
        partial.rename(target)


def _forget_dead_workers() -> None:
    from config.health import forget_workers

    forget_workers()


if __name__ == "__main__":
    main()

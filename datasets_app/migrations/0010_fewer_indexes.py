"""No index whose first column another index begins with, and none that nobody reads."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


_INDEXES = {
    "datasets_app_versionitem_annotator_id_7fe0a5bc": "datasets_app_versionitem (annotator_id)",
    "datasets_app_versionitem_version_id_2969b6ff": "datasets_app_versionitem (version_id)",
}
DROPPED = "".join(f"DROP INDEX IF EXISTS {name};" for name in _INDEXES)
MADE = "".join(f"CREATE INDEX {name} ON {of};" for name, of in _INDEXES.items())


class Migration(migrations.Migration):
    dependencies = [
        ("datasets_app", "0009_uploads"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.SeparateDatabaseAndState(
            [migrations.RunSQL(DROPPED, MADE)],
            [
                migrations.AlterField(
                    model_name="versionitem",
                    name="version",
                    field=models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="items",
                        to="datasets_app.datasetversion",
                    ),
                ),
                migrations.AlterField(
                    model_name="versionitem",
                    name="annotator",
                    field=models.ForeignKey(
                        db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]

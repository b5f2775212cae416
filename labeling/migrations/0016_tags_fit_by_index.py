"""Tags are checked against their texts one by one: left to itself, the database reads all texts of all projects for
each bulk write, by a plan from when there were few."""

from importlib import import_module

from django.db import migrations

# What follows the two lines on which the rule looks at the texts stays as it was.
BEFORE: str = import_module("labeling.migrations.0002_rules").TAGS_FIT.partition("CREATE TRIGGER")[0].replace(
    "CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"
)
AFTER = BEFORE.replace(
    "JOIN labeling_document document ON document.id = new_rows.document_id",
    "CROSS JOIN LATERAL (SELECT project_id, token_starts FROM labeling_document WHERE id = new_rows.document_id OFFSET 0)"
    " AS document",
)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0015_sureness")]
    operations = [migrations.RunSQL(AFTER, BEFORE)]

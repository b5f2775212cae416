"""Projects may lie in the trash; a document may be erased for good: its row stays, and nothing of its text.

`goldset.erasing` lets the one who erases a text change what never changes otherwise.
"""

from django.db import migrations, models

FROZEN = """
DROP TRIGGER document_text_frozen ON labeling_document;
CREATE TRIGGER document_text_frozen BEFORE UPDATE OF text, token_starts, token_ends, project_id
  ON labeling_document FOR EACH ROW
  WHEN ((OLD.text IS DISTINCT FROM NEW.text OR OLD.token_starts IS DISTINCT FROM NEW.token_starts
        OR OLD.token_ends IS DISTINCT FROM NEW.token_ends OR OLD.project_id IS DISTINCT FROM NEW.project_id){unless})
  EXECUTE FUNCTION goldset_refuse();
"""
UNLESS = " AND current_setting('goldset.erasing', true) IS DISTINCT FROM 'on'"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0005_preferences")]
    operations = [
        migrations.AddField("project", "trashed_at", models.DateTimeField(null=True, blank=True)),
        migrations.AddField("document", "erased_at", models.DateTimeField(null=True)),
        migrations.RunSQL(FROZEN.format(unless=UNLESS), FROZEN.format(unless="")),
    ]

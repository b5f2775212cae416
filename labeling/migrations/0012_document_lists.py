"""Pages of a project's texts, newest first and by priority, that cost the same however many texts there are."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0011_document_counts")]

    operations = [
        migrations.AddIndex(
            model_name="document",
            index=models.Index(fields=["project", "id"], name="document_by_project"),
        ),
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                models.F("project"), models.F("priority").desc(), models.F("id"), name="document_by_priority"
            ),
        ),
    ]

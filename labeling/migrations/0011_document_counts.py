"""The counts by status and split come from an index alone: they are on every overview."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("labeling", "0010_bulk")]

    operations = [
        migrations.AddIndex(
            model_name="document",
            index=models.Index(
                fields=["project", "split", "status"], name="document_counts", condition=Q(archived_at__isnull=True)
            ),
        ),
    ]

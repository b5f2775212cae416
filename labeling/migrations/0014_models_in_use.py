"""Whose suggestions are shown, and by what each text got its place in the queue."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("labeling", "0013_document_marks")]

    operations = [
        migrations.AddField(
            model_name="document",
            name="chosen",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A query strategy gave it its place in the queue; else chance did.",
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="models_in_use",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                help_text="Names; a model that is not here was withdrawn, and the first that spoke of a text is shown.",
                size=None,
            ),
        ),
    ]

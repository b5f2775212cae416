"""A label may be retired; one in use may be renamed by whoever renames its tags along (`goldset.label_renamed`)."""

from django.db import migrations, models

KEPT = """
CREATE OR REPLACE FUNCTION labeling_label_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND (OLD.name = NEW.name{allowed}) THEN RETURN NEW; END IF;
  IF EXISTS (SELECT FROM labeling_annotation annotation
               JOIN labeling_document document ON document.id = annotation.document_id
              WHERE document.project_id = OLD.project_id AND annotation.tags @> ARRAY['B-' || OLD.name]) THEN
    RAISE EXCEPTION 'label % is used by annotations', OLD.name
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'label_kept_while_used';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$
"""
ALLOWED = " OR current_setting('goldset.label_renamed', true) = 'on'"


class Migration(migrations.Migration):
    dependencies = [("labeling", "0003_provenance")]
    operations = [
        migrations.AddField("label", "retired", models.BooleanField(default=False, db_default=False, help_text="Its spans stay; no new ones are made.")),
        migrations.RunSQL(KEPT.format(allowed=ALLOWED), KEPT.format(allowed="")),
    ]

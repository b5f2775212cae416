"""How sure models are of what they suggest, in a narrow row of its own beside the document: writing a document's row
anew, with all its indexes, would cost pre-annotation more than the suggestions themselves.
"""

from django.db import migrations, models
import django.db.models.deletion

FORWARD = """
INSERT INTO labeling_sureness (document_id, project_id, least)
SELECT id, project_id, sureness FROM labeling_document WHERE sureness < 1;
CREATE OR REPLACE FUNCTION labeling_weigh(touched bigint[]) RETURNS void LANGUAGE sql AS $$
  WITH weighed AS (
    SELECT known.id, coalesce(min(said.least), 1) AS least
      FROM unnest(touched) AS known(id) LEFT JOIN LATERAL (
        SELECT (SELECT min(one) FROM unnest(prediction.confidences) AS one) AS least
          FROM labeling_prediction AS prediction
         WHERE prediction.document_id = known.id AND prediction.model <> 'occurrences' OFFSET 0) AS said ON true
     GROUP BY known.id
  ), certain AS (
    DELETE FROM labeling_sureness AS sureness USING weighed
     WHERE sureness.document_id = weighed.id AND weighed.least >= 1
  )
  INSERT INTO labeling_sureness AS sureness (document_id, project_id, least)
  SELECT weighed.id, document.project_id, weighed.least
    FROM weighed JOIN labeling_document AS document ON document.id = weighed.id
   WHERE weighed.least < 1 ORDER BY weighed.id
  ON CONFLICT (document_id) DO UPDATE SET least = excluded.least WHERE sureness.least <> excluded.least
$$;
"""
BACKWARD = """
CREATE OR REPLACE FUNCTION labeling_weigh(touched bigint[]) RETURNS void LANGUAGE sql AS $$
  UPDATE labeling_document AS document SET sureness = weighed.sureness
    FROM (
      SELECT known.id, coalesce(min(said.least), 1) AS sureness
        FROM unnest(touched) AS known(id) LEFT JOIN LATERAL (
          SELECT (SELECT min(one) FROM unnest(prediction.confidences) AS one) AS least
            FROM labeling_prediction AS prediction
           WHERE prediction.document_id = known.id AND prediction.model <> 'occurrences') AS said ON true
       GROUP BY known.id) AS weighed
   WHERE document.id = weighed.id AND document.sureness IS DISTINCT FROM weighed.sureness
$$;
SELECT labeling_weigh(ARRAY(SELECT document_id FROM labeling_sureness));
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0014_models_in_use")]

    operations = [
        migrations.CreateModel(
            name="Sureness",
            fields=[
                (
                    "document",
                    models.OneToOneField(
                        db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True,
                        related_name="suggested", serialize=False, to="labeling.document",
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(
                        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE,
                        related_name="+", to="labeling.project",
                    ),
                ),
                ("least", models.FloatField(help_text="The least confidence of a token that a model suggests; below 1.")),
            ],
            options={
                "indexes": [models.Index(fields=["project", "least", "document"], name="sureness_by_least")],
            },
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.RemoveIndex("document", "document_by_sureness"),
        migrations.RemoveIndex("document", "document_noted_by_sureness"),
        migrations.RemoveField("document", "sureness"),
    ]

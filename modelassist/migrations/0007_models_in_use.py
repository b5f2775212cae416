"""Tells projects which models are in use, as `registry` does from now on; and which texts a strategy may have chosen."""

from django.db import migrations

IN_USE = """
UPDATE labeling_project AS project SET models_in_use = found.names FROM (
  SELECT live.project_id,
         (array_agg('model-' || model.number
                    ORDER BY (model.metrics -> 'update' ->> 'of')::int = live.number DESC NULLS LAST,
                             model.number DESC))[:20] AS names
    FROM modelassist_modelversion AS live
    JOIN modelassist_modelversion AS model ON model.project_id = live.project_id
     AND (model.number <= live.number OR (model.metrics -> 'update' ->> 'of')::int = live.number)
   WHERE live.state = 'production' GROUP BY live.project_id
) AS found WHERE project.id = found.project_id"""
# What was labeled after a queue was first ordered is not known to have come at random, and so does not count as such.
CHOSEN = """
UPDATE labeling_document AS document SET chosen = true FROM (
  SELECT project_id, min(created_at) AS since FROM labeling_event
   WHERE verb = 'queue.prioritized' AND data ->> 'strategy' <> 'random' GROUP BY project_id
) AS ordered
 WHERE document.project_id = ordered.project_id AND document.split = 'train'
   AND NOT EXISTS (SELECT FROM labeling_annotation AS gold
                    WHERE gold.document_id = document.id AND gold.accepted AND gold.accepted_at < ordered.since)"""


class Migration(migrations.Migration):
    dependencies = [("modelassist", "0006_vectors"), ("labeling", "0014_models_in_use")]

    operations = [
        migrations.RunSQL(IN_USE, migrations.RunSQL.noop),
        migrations.RunSQL(CHOSEN, migrations.RunSQL.noop),
    ]

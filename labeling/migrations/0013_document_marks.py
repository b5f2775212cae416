"""Lists of documents by what was said about them, in every order, from an index on the documents themselves.

Triggers keep on each document what its annotations and suggestions say of it, a statement at a time; a row is
written only where something changes, so that texts that come in with their labels cost nothing more.
"""

from django.db import migrations, models

MARKS = """
CREATE FUNCTION labeling_mark(touched bigint[]) RETURNS void LANGUAGE sql AS $$
  UPDATE labeling_document AS document
     SET flagged = marks.flagged, commented = marks.commented, disputed = marks.disputed
    FROM (
      SELECT known.id, coalesce(bool_or(annotation.flagged), false) AS flagged,
             coalesce(bool_or(annotation.comment <> ''), false) AS commented,
             count(DISTINCT annotation.tags) FILTER (WHERE annotation.state = 'submitted') > 1 AS disputed
        FROM unnest(touched) AS known(id) LEFT JOIN labeling_annotation AS annotation ON annotation.document_id = known.id
       GROUP BY known.id) AS marks
   WHERE document.id = marks.id
     AND (document.flagged, document.commented, document.disputed)
         IS DISTINCT FROM (marks.flagged, marks.commented, marks.disputed)
$$;
CREATE FUNCTION labeling_marks_new() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched bigint[];
BEGIN
  -- A text with one annotation cannot be disputed: only what stands beside another is looked at.
  touched := ARRAY(
    SELECT DISTINCT document_id FROM new_rows
     WHERE flagged OR comment <> '' OR EXISTS (
       SELECT FROM labeling_annotation AS other
        WHERE other.document_id = new_rows.document_id AND other.annotator_id <> new_rows.annotator_id OFFSET 0));
  IF cardinality(touched) > 0 THEN PERFORM labeling_mark(touched); END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION labeling_marks_changed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  touched bigint[];
BEGIN
  touched := ARRAY(
    SELECT DISTINCT was.document_id FROM old_rows AS was JOIN new_rows AS now USING (id)
     WHERE (was.flagged, was.comment <> '', was.state, was.tags)
           IS DISTINCT FROM (now.flagged, now.comment <> '', now.state, now.tags));
  IF cardinality(touched) > 0 THEN PERFORM labeling_mark(touched); END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION labeling_marks_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM labeling_mark(ARRAY(SELECT DISTINCT document_id FROM old_rows));
  RETURN NULL;
END $$;
CREATE TRIGGER annotation_marks_new AFTER INSERT ON labeling_annotation
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_marks_new();
CREATE TRIGGER annotation_marks_changed AFTER UPDATE ON labeling_annotation
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_marks_changed();
CREATE TRIGGER annotation_marks_gone AFTER DELETE ON labeling_annotation
  REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_marks_gone();
"""

# What people suggest by an occurrence elsewhere is no model's, and has no confidence of its own.
SURENESS = """
CREATE FUNCTION labeling_weigh(touched bigint[]) RETURNS void LANGUAGE sql AS $$
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
CREATE FUNCTION labeling_sureness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM labeling_weigh(ARRAY(SELECT DISTINCT document_id FROM changed_rows WHERE model <> 'occurrences'));
  RETURN NULL;
END $$;
CREATE TRIGGER prediction_sureness_new AFTER INSERT ON labeling_prediction
  REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_sureness();
CREATE TRIGGER prediction_sureness_changed AFTER UPDATE ON labeling_prediction
  REFERENCING NEW TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_sureness();
CREATE TRIGGER prediction_sureness_gone AFTER DELETE ON labeling_prediction
  REFERENCING OLD TABLE AS changed_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_sureness();
"""

# Once, for what is there, as the table is written anew: changing each row beside its indexes would take far longer.
WRITTEN = """
CREATE FUNCTION pg_temp.last_decided(number bigint, came_in timestamptz) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT max(greatest(submitted_at, accepted_at)) FROM labeling_annotation
   WHERE document_id = number AND greatest(submitted_at, accepted_at) > came_in $$;
CREATE FUNCTION pg_temp.flagged(number bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM labeling_annotation WHERE document_id = number AND flagged) $$;
CREATE FUNCTION pg_temp.commented(number bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT EXISTS (SELECT FROM labeling_annotation WHERE document_id = number AND comment <> '') $$;
CREATE FUNCTION pg_temp.disputed(number bigint) RETURNS boolean LANGUAGE sql AS $$
  SELECT count(DISTINCT tags) > 1 FROM labeling_annotation WHERE document_id = number AND state = 'submitted' $$;
CREATE FUNCTION pg_temp.sureness(number bigint) RETURNS float8 LANGUAGE sql AS $$
  SELECT coalesce(min(one), 1) FROM labeling_prediction, unnest(confidences) AS one
   WHERE document_id = number AND model <> 'occurrences' $$;
ALTER TABLE labeling_document
  ALTER COLUMN changed_at TYPE timestamptz USING greatest(archived_at, pg_temp.last_decided(id, created_at)),
  ALTER COLUMN flagged TYPE boolean USING pg_temp.flagged(id),
  ALTER COLUMN commented TYPE boolean USING pg_temp.commented(id),
  ALTER COLUMN disputed TYPE boolean USING pg_temp.disputed(id),
  ALTER COLUMN sureness TYPE float8 USING pg_temp.sureness(id);
DROP FUNCTION pg_temp.last_decided, pg_temp.flagged, pg_temp.commented, pg_temp.disputed, pg_temp.sureness;
CREATE FUNCTION labeling_document_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.changed_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER document_changed BEFORE UPDATE OF status, archived_at ON labeling_document
  FOR EACH ROW EXECUTE FUNCTION labeling_document_changed();
"""
UNDO = """
DROP TRIGGER document_changed ON labeling_document;
DROP TRIGGER annotation_marks_new ON labeling_annotation;
DROP TRIGGER annotation_marks_changed ON labeling_annotation;
DROP TRIGGER annotation_marks_gone ON labeling_annotation;
DROP TRIGGER prediction_sureness_new ON labeling_prediction;
DROP TRIGGER prediction_sureness_changed ON labeling_prediction;
DROP TRIGGER prediction_sureness_gone ON labeling_prediction;
DROP FUNCTION labeling_document_changed, labeling_marks_new, labeling_marks_changed, labeling_marks_gone,
  labeling_sureness, labeling_mark, labeling_weigh;
"""
LIVE = models.Q(archived_at__isnull=True)
SUGGESTED = models.Q(sureness__lt=1)
CHANGED = models.Q(changed_at__isnull=False)
NOTED = models.Q(status="submitted") | models.Q(flagged=True) | models.Q(commented=True) | models.Q(disputed=True)


def by(name: str, condition: models.Q, *columns: str | models.OrderBy) -> migrations.AddIndex:
    """An index of a project's documents, ending in the unique id."""
    return migrations.AddIndex("document", models.Index("project", *columns, "id", name=name, condition=condition))


class Migration(migrations.Migration):
    dependencies = [("labeling", "0012_document_lists")]

    operations = [
        *(
            migrations.RemoveIndex("document", name)
            for name in ("document_by_project", "document_by_priority", "document_by_status")
        ),
        migrations.RemoveIndex("annotation", "annotation_remarked"),
        migrations.AddField("document", "changed_at", models.DateTimeField(null=True, editable=False)),
        *(
            migrations.AddField("document", name, models.BooleanField(db_default=False, editable=False))
            for name in ("flagged", "commented", "disputed")
        ),
        migrations.AddField("document", "sureness", models.FloatField(db_default=1.0, editable=False)),
        migrations.RunSQL(MARKS + SURENESS + WRITTEN, UNDO),
        by("document_by_status", LIVE, "status"),
        by("document_by_id", LIVE),
        by("document_by_priority", LIVE, models.F("priority").desc()),
        by("document_by_sureness", LIVE & SUGGESTED, "sureness"),
        by("document_by_change", LIVE & CHANGED, "changed_at"),
        by("document_archived", ~LIVE),
        by("document_noted_by_id", LIVE & NOTED),
        by("document_noted_by_priority", LIVE & NOTED, models.F("priority").desc()),
        by("document_noted_by_sureness", LIVE & NOTED & SUGGESTED, "sureness"),
        by("document_noted_by_change", LIVE & NOTED & CHANGED, "changed_at"),
    ]

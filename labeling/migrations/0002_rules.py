"""The rules of design that only SQL can say, each with a name that an error can show.

- A token grid lies within its text, in order, and is not empty.
- Tags are IOB2, one per token, and use labels of the project: annotations and predictions alike. The
  check over other tables is one set-based statement per INSERT or UPDATE statement, so that a bulk
  write of a thousand rows is checked once.
- A document's text and grid, and events, never change. A label in use is not deleted.
"""

from django.db import migrations

GRID = """
CREATE FUNCTION labeling_grid_fits(starts integer[], ends integer[], length integer) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT cardinality(starts) > 0 AND cardinality(starts) = cardinality(ends)
     AND starts[1] >= 0 AND ends[cardinality(ends)] <= length
     AND NOT EXISTS (
       SELECT FROM unnest(starts, ends, starts[2:]) AS token(first, last, next)
       WHERE first >= last OR last > next)
$$;
ALTER TABLE labeling_document ADD CONSTRAINT document_grid_fits
  CHECK (labeling_grid_fits(token_starts, token_ends, char_length(text)));
"""

BIO = """
CREATE FUNCTION labeling_is_bio(tags text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT NOT EXISTS (
    SELECT FROM unnest(tags, ARRAY['O'] || tags[:cardinality(tags) - 1]) AS pair(tag, previous)
    WHERE tag IS NULL
       OR tag <> 'O' AND tag NOT LIKE 'B-_%'
      AND NOT (tag LIKE 'I-_%' AND substr(previous, 2) = substr(tag, 2)))
$$;
ALTER TABLE labeling_annotation ADD CONSTRAINT annotation_is_bio CHECK (labeling_is_bio(tags));
ALTER TABLE labeling_prediction ADD CONSTRAINT prediction_is_bio CHECK (labeling_is_bio(tags));
ALTER TABLE labeling_prediction ADD CONSTRAINT prediction_confidence_per_token
  CHECK (cardinality(confidences) = cardinality(tags));
"""

TAGS_FIT = """
CREATE FUNCTION labeling_tags_fit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wrong record;
  projects bigint[];
  names text[];
BEGIN
  SELECT new_rows.document_id, cardinality(tags) AS tags, cardinality(token_starts) AS tokens INTO wrong
    FROM new_rows JOIN labeling_document document ON document.id = new_rows.document_id
    WHERE cardinality(tags) <> cardinality(token_starts) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'document % has % tokens and got % tags', wrong.document_id, wrong.tokens, wrong.tags
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_length';
  END IF;
  SELECT array_agg(project_id), array_agg(name) INTO projects, names
    FROM (SELECT DISTINCT document.project_id, substr(tag, 3) AS name
            FROM new_rows JOIN labeling_document document ON document.id = new_rows.document_id,
                 unnest(tags) AS tag WHERE tag <> 'O') AS used;
  -- Whoever deletes or renames one of these labels waits until this transaction ends, and then sees its rows.
  PERFORM FROM labeling_label label JOIN unnest(projects, names) AS used(project_id, name) USING (project_id, name)
    ORDER BY label.id FOR KEY SHARE OF label;
  SELECT used.project_id, used.name INTO wrong FROM unnest(projects, names) AS used(project_id, name)
    WHERE NOT EXISTS (SELECT FROM labeling_label label
                       WHERE label.project_id = used.project_id AND label.name = used.name) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'project % has no label %', wrong.project_id, wrong.name
      USING ERRCODE = 'check_violation', CONSTRAINT = TG_TABLE_NAME || '_label_known';
  END IF;
  RETURN NULL;
END $$;
""" + "".join(
    f"""
CREATE TRIGGER {table}_tags_fit_insert AFTER INSERT ON labeling_{table}
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_tags_fit();
CREATE TRIGGER {table}_tags_fit_update AFTER UPDATE ON labeling_{table}
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION labeling_tags_fit();
"""
    for table in ("annotation", "prediction")
)

FROZEN = """
CREATE FUNCTION goldset_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
    USING ERRCODE = 'restrict_violation', CONSTRAINT = TG_TABLE_NAME || '_frozen';
END $$;
CREATE TRIGGER event_frozen BEFORE UPDATE OR DELETE ON labeling_event
  FOR EACH ROW EXECUTE FUNCTION goldset_refuse();
CREATE TRIGGER document_text_frozen BEFORE UPDATE OF text, token_starts, token_ends, project_id
  ON labeling_document FOR EACH ROW
  WHEN (OLD.text IS DISTINCT FROM NEW.text OR OLD.token_starts IS DISTINCT FROM NEW.token_starts
        OR OLD.token_ends IS DISTINCT FROM NEW.token_ends OR OLD.project_id IS DISTINCT FROM NEW.project_id)
  EXECUTE FUNCTION goldset_refuse();
"""

LABEL_KEPT = """
CREATE FUNCTION labeling_label_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.name = NEW.name THEN RETURN NEW; END IF;
  IF EXISTS (SELECT FROM labeling_annotation annotation
               JOIN labeling_document document ON document.id = annotation.document_id
              WHERE document.project_id = OLD.project_id AND annotation.tags @> ARRAY['B-' || OLD.name]) THEN
    RAISE EXCEPTION 'label % is used by annotations', OLD.name
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'label_kept_while_used';
  END IF;
  IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER label_kept BEFORE UPDATE OF name OR DELETE ON labeling_label
  FOR EACH ROW EXECUTE FUNCTION labeling_label_kept();
"""

# Substrings of any script are found by pairs of characters: no words are needed, and no extension.
BIGRAMS = """
CREATE FUNCTION labeling_bigrams(content text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT coalesce(array_agg(DISTINCT pair.first || pair.second), '{}')
    FROM (SELECT string_to_array(lower(content), NULL) AS characters) AS folded,
         unnest(characters, characters[2:]) AS pair(first, second)
   WHERE pair.second IS NOT NULL
$$;
CREATE INDEX document_bigrams ON labeling_document USING gin (labeling_bigrams(text));
COMMENT ON INDEX document_bigrams IS 'Reader: labeling.documents.search';
"""

UNDO = """
DROP INDEX document_bigrams;
DROP FUNCTION labeling_bigrams;
DROP TRIGGER label_kept ON labeling_label;
DROP TRIGGER document_text_frozen ON labeling_document;
DROP TRIGGER event_frozen ON labeling_event;
DROP TRIGGER annotation_tags_fit_insert ON labeling_annotation;
DROP TRIGGER annotation_tags_fit_update ON labeling_annotation;
DROP TRIGGER prediction_tags_fit_insert ON labeling_prediction;
DROP TRIGGER prediction_tags_fit_update ON labeling_prediction;
DROP FUNCTION labeling_label_kept, goldset_refuse, labeling_tags_fit;
ALTER TABLE labeling_prediction DROP CONSTRAINT prediction_confidence_per_token, DROP CONSTRAINT prediction_is_bio;
ALTER TABLE labeling_annotation DROP CONSTRAINT annotation_is_bio;
ALTER TABLE labeling_document DROP CONSTRAINT document_grid_fits;
DROP FUNCTION labeling_is_bio, labeling_grid_fits;
"""


class Migration(migrations.Migration):
    dependencies = [("labeling", "0001_initial")]
    operations = [
        migrations.RunSQL(GRID + BIO + TAGS_FIT + FROZEN + LABEL_KEPT + BIGRAMS, UNDO),
    ]

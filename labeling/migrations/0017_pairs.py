"""A document may bring the pairs of characters by which it is found, so that an import need not wait for the database
to work them out. They are 16-bit numbers now, and go when the text is erased."""

from importlib import import_module

from django.db import migrations

FORWARD = """
DROP INDEX document_bigrams;
DROP FUNCTION labeling_bigrams;
CREATE FUNCTION labeling_bigrams(content text) RETURNS smallint[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
  characters text[] := string_to_array(lower(content), NULL);
BEGIN
  RETURN ARRAY(
    SELECT ((((ascii(first) << 7) # ascii(second)) & 65535) - 32768)::smallint
      FROM (SELECT unnest(characters) AS first, unnest(characters[2:]) AS second) AS pair
     WHERE ascii(first) > 32 AND ascii(second) > 32);
END $$;
ALTER TABLE labeling_document ADD COLUMN pairs smallint[];
COMMENT ON COLUMN labeling_document.pairs IS 'labeling_bigrams(text) as an import gives it; otherwise it is worked out';
CREATE INDEX document_bigrams ON labeling_document USING gin (coalesce(pairs, labeling_bigrams(text)));
COMMENT ON INDEX document_bigrams IS 'Reader: labeling.documents.search';
CREATE FUNCTION labeling_pairs_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.pairs := NULL;
  RETURN NEW;
END $$;
CREATE TRIGGER document_pairs_gone BEFORE UPDATE OF text ON labeling_document FOR EACH ROW
  WHEN (OLD.text IS DISTINCT FROM NEW.text) EXECUTE FUNCTION labeling_pairs_gone();
"""
BACKWARD = """
DROP TRIGGER document_pairs_gone ON labeling_document;
DROP FUNCTION labeling_pairs_gone;
ALTER TABLE labeling_document DROP COLUMN pairs;
DROP INDEX IF EXISTS document_bigrams;
DROP FUNCTION labeling_bigrams;
""" + import_module("labeling.migrations.0010_bulk").FORWARD.partition("DROP FUNCTION labeling_bigrams;")[2]


class Migration(migrations.Migration):
    dependencies = [("labeling", "0016_tags_fit_by_index")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

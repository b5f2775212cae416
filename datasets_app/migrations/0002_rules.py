"""Versions and their items are never changed or deleted, and a finished version takes no more items.
Texts are found by the group whose split they share.

Items are written first, in the transaction that then writes their version's row: from the moment a
version can be seen it is complete.
"""

from django.db import migrations

RULES = """
CREATE INDEX document_group ON labeling_document (project_id, group_key, id);
COMMENT ON INDEX document_group IS 'Reader: datasets_app.importing_batch, the split that a group has already';
CREATE TRIGGER version_frozen BEFORE UPDATE OR DELETE ON datasets_app_datasetversion
  FOR EACH ROW EXECUTE FUNCTION goldset_refuse();
CREATE TRIGGER version_item_frozen BEFORE UPDATE OR DELETE ON datasets_app_versionitem
  FOR EACH ROW EXECUTE FUNCTION goldset_refuse();
CREATE FUNCTION datasets_version_complete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM datasets_app_datasetversion version
              WHERE version.id IN (SELECT DISTINCT version_id FROM new_items)) THEN
    RAISE EXCEPTION 'a finished version takes no more items'
      USING ERRCODE = 'restrict_violation', CONSTRAINT = 'version_complete';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER version_item_complete AFTER INSERT ON datasets_app_versionitem
  REFERENCING NEW TABLE AS new_items FOR EACH STATEMENT EXECUTE FUNCTION datasets_version_complete();
"""

UNDO = """
DROP INDEX document_group;
DROP TRIGGER version_item_complete ON datasets_app_versionitem;
DROP FUNCTION datasets_version_complete;
DROP TRIGGER version_item_frozen ON datasets_app_versionitem;
DROP TRIGGER version_frozen ON datasets_app_datasetversion;
"""


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0001_initial"), ("labeling", "0002_rules")]
    operations = [migrations.RunSQL(RULES, UNDO)]

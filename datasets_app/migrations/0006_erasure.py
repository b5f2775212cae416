"""Who erases a text (`goldset.erasing`) may take its key out of frozen versions, and what they quote of it."""

from django.db import migrations

FROZEN = """
DROP TRIGGER version_frozen ON datasets_app_datasetversion;
CREATE TRIGGER version_frozen BEFORE UPDATE OR DELETE ON datasets_app_datasetversion
  FOR EACH ROW {when} EXECUTE FUNCTION goldset_refuse();
DROP TRIGGER version_item_frozen ON datasets_app_versionitem;
CREATE TRIGGER version_item_frozen BEFORE UPDATE OR DELETE ON datasets_app_versionitem
  FOR EACH ROW {when} EXECUTE FUNCTION goldset_refuse();
"""
WHEN = "WHEN (current_setting('goldset.erasing', true) IS DISTINCT FROM 'on')"


class Migration(migrations.Migration):
    dependencies = [("datasets_app", "0005_changes"), ("labeling", "0006_trash_erasure")]
    operations = [migrations.RunSQL(FROZEN.format(when=WHEN), FROZEN.format(when=""))]

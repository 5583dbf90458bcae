from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE messaging_message ADD COLUMN mood text NULL",
            "ALTER TABLE messaging_message DROP COLUMN mood",
        ),
    ]

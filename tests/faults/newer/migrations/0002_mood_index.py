from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("newer", "0001_mood")]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX CONCURRENTLY newer_message_mood ON messaging_message (mood)",
            "DROP INDEX CONCURRENTLY newer_message_mood",
        ),
    ]

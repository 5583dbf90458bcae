from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside the writers of a large log

    dependencies = [
        ("rooms", "0006_event_change"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="event",
            index=models.Index(
                models.F("room"),
                models.F("position"),
                condition=models.Q(("message__isnull", True)),
                name="event_of_no_message",
            ),
        ),
    ]

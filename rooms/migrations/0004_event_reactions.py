from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0003_bans_and_deletion"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="event",
            name="event_message_by_kind",
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("message_created", "Message posted"),
                    ("message_edited", "Message edited"),
                    ("message_deleted", "Message deleted"),
                    ("reaction_added", "Reaction added"),
                    ("reaction_removed", "Reaction removed"),
                    ("membership_added", "Member joined"),
                    ("membership_changed", "Role changed"),
                    ("membership_removed", "Member left"),
                    ("room_changed", "Room changed"),
                    ("room_deleted", "Room deleted"),
                ],
                max_length=20,
            ),
        ),
        AddConstraintNotValid(
            model_name="event",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        models.Q(("kind__startswith", "message_"), ("kind__startswith", "reaction_"), _connector="OR"),
                        ("message__isnull", False),
                    ),
                    models.Q(
                        models.Q(
                            ("kind__startswith", "message_"),
                            ("kind__startswith", "reaction_"),
                            _connector="OR",
                            _negated=True,
                        ),
                        ("message__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="event_message_by_kind",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("rooms", "0011_word_filter"),
    ]

    operations = [
        migrations.AddField(
            model_name="room",
            name="who_pins",
            field=models.CharField(
                choices=[("owner", "Owner"), ("moderator", "Moderator"), ("member", "Member")],
                db_default="moderator",
                default="moderator",
                max_length=10,
                verbose_name="who may pin messages",
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="kind",
            field=models.CharField(
                choices=[
                    ("message_created", "Message posted"),
                    ("message_edited", "Message edited"),
                    ("message_deleted", "Message deleted"),
                    ("message_pinned", "Message pinned"),
                    ("message_unpinned", "Message unpinned"),
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
    ]

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0001_initial"),
        ("rooms", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveBigIntegerField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("message_created", "Message posted"),
                            ("message_edited", "Message edited"),
                            ("message_deleted", "Message deleted"),
                            ("membership_added", "Member joined"),
                            ("membership_changed", "Role changed"),
                            ("membership_removed", "Member left"),
                            ("room_changed", "Room changed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("created_at", models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                (
                    "actor",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "member",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="messaging.message",
                    ),
                ),
                (
                    "room",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="rooms.room",
                    ),
                ),
            ],
            options={
                "ordering": ("room", "position"),
                "indexes": [
                    models.Index(
                        models.F("room"),
                        models.F("position"),
                        condition=models.Q(("kind", "message_created")),
                        name="event_message_created",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("room", "position"), name="event_room_position_unique"),
                    models.CheckConstraint(condition=models.Q(("position__gte", 1)), name="event_position_from_one"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind__startswith", "message_"), ("message__isnull", False)),
                            models.Q(
                                models.Q(("kind__startswith", "message_"), _negated=True), ("message__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="event_message_by_kind",
                    ),
                ],
            },
        ),
    ]

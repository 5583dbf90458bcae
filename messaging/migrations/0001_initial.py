import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("rooms", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveBigIntegerField(verbose_name="position")),
                ("client_id", models.UUIDField(verbose_name="client id")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("html", models.TextField(blank=True)),
                ("html_version", models.PositiveSmallIntegerField(default=0)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="posted"),
                ),
                ("edited_at", models.DateTimeField(null=True, verbose_name="edited")),
                ("deleted_at", models.DateTimeField(null=True, verbose_name="deleted")),
                (
                    "room",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="messages",
                        to="rooms.room",
                        verbose_name="room",
                    ),
                ),
                (
                    "author",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="messages",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="author",
                    ),
                ),
                (
                    "reply_to",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="replies",
                        to="messaging.message",
                    ),
                ),
            ],
            options={
                "verbose_name": "message",
                "verbose_name_plural": "messages",
                "ordering": ("room", "position"),
                "constraints": [
                    models.UniqueConstraint(fields=("room", "position"), name="message_room_position_unique"),
                    models.UniqueConstraint(fields=("author", "client_id"), name="message_author_client_id_unique"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("deleted_at__isnull", True), models.Q(("text", ""), _negated=True)),
                            models.Q(("deleted_at__isnull", False), ("html", ""), ("text", "")),
                            _connector="OR",
                        ),
                        name="message_text_unless_deleted",
                    ),
                ],
            },
        ),
    ]

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0003_message_revision"),
        ("rooms", "0003_bans_and_deletion"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Attachment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=32, unique=True)),
                ("place", models.PositiveSmallIntegerField(default=0)),
                ("name", models.CharField(max_length=150, verbose_name="name")),
                ("size", models.PositiveBigIntegerField(verbose_name="size")),
                ("sha256", models.CharField(max_length=64)),
                (
                    "kind",
                    models.CharField(
                        choices=[("image", "Image"), ("video", "Video"), ("audio", "Sound"), ("file", "File")],
                        max_length=5,
                        verbose_name="kind",
                    ),
                ),
                ("content_type", models.CharField(max_length=50)),
                ("width", models.PositiveIntegerField(null=True)),
                ("height", models.PositiveIntegerField(null=True)),
                ("is_animated", models.BooleanField(default=False)),
                ("thumbnail_width", models.PositiveIntegerField(null=True)),
                ("thumbnail_height", models.PositiveIntegerField(null=True)),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name="sent"),
                ),
            ],
            options={
                "verbose_name": "file",
                "verbose_name_plural": "files",
                "ordering": ("place", "pk"),
            },
        ),
        migrations.RemoveConstraint(
            model_name="message",
            name="message_text_unless_deleted",
        ),
        migrations.AddField(
            model_name="message",
            name="attachment_count",
            field=models.SmallIntegerField(db_default=0, default=0, verbose_name="files"),
        ),
        # Every row there is fulfils it, for the one before was stricter; the next migration has that checked without
        # a lock that would keep readers out.
        AddConstraintNotValid(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("deleted_at__isnull", True),
                        models.Q(models.Q(("text", ""), _negated=True), ("attachment_count__gt", 0), _connector="OR"),
                    ),
                    models.Q(("deleted_at__isnull", False), ("html", ""), ("text", "")),
                    _connector="OR",
                ),
                name="message_text_unless_deleted",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="message",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attachments",
                to="messaging.message",
                verbose_name="message",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="room",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="attachments",
                to="rooms.room",
                verbose_name="room",
            ),
        ),
        migrations.AddField(
            model_name="attachment",
            name="uploader",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="attachments",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AddConstraint(
            model_name="attachment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("height__gt", 0), ("kind", "image"), ("width__gt", 0)),
                    models.Q(models.Q(("kind", "image"), _negated=True), ("height", None), ("width", None)),
                    _connector="OR",
                ),
                name="attachment_image_has_size",
            ),
        ),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built, and looked for, beside those who post

    dependencies = [
        ("messaging", "0007_message_pinned"),
    ]

    operations = [
        ValidateConstraint(model_name="message", name="message_pinned_unless_deleted"),
        AddIndexConcurrently(
            model_name="message",
            index=models.Index(
                condition=models.Q(("pinned_at__isnull", False)),
                fields=["room", "pinned_at"],
                name="message_pinned",
            ),
        ),
    ]

from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0006_report"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="pinned_at",
            field=models.DateTimeField(null=True, verbose_name="pinned"),
        ),
        AddConstraintNotValid(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(("pinned_at__isnull", True), ("deleted_at__isnull", True), _connector="OR"),
                name="message_pinned_unless_deleted",
            ),
        ),
    ]

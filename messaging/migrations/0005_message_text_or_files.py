from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0004_attachment"),
    ]

    operations = [
        ValidateConstraint(model_name="message", name="message_text_unless_deleted"),
    ]

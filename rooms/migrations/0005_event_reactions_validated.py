from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    """Looks at the rows that were there before, without keeping anybody from writing others."""

    dependencies = [("rooms", "0004_event_reactions")]

    operations = [ValidateConstraint(model_name="event", name="event_message_by_kind")]

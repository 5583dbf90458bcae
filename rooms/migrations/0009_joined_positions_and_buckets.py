from django.db import migrations

JOINED = """
UPDATE rooms_membership membership SET joined_position = coalesce((
    SELECT max(event.position) FROM rooms_event event
    WHERE event.member_id = membership.user_id AND event.room_id = membership.room_id
        AND event.kind = 'membership_added'
), 0)
"""
BUCKETS = """
CREATE UNLOGGED TABLE buckets (key varchar(120) NOT NULL PRIMARY KEY, full_at timestamp with time zone NOT NULL)
"""


class Migration(migrations.Migration):
    """Since when members are there; and what `project.limits` fills, not logged: a crash lets everybody start anew."""

    dependencies = [("rooms", "0008_policy_and_restrictions")]

    operations = [
        migrations.RunSQL(JOINED, migrations.RunSQL.noop),
        migrations.RunSQL(BUCKETS, "DROP TABLE buckets"),
    ]

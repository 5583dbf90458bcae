from django.db import migrations


class Migration(migrations.Migration):
    """What `project.limits` counts in. Not logged: after a crash of the database everybody starts anew."""

    dependencies = [("accounts", "0005_user_enter_sends")]

    operations = [
        migrations.RunSQL(
            sql=[
                'CREATE UNLOGGED TABLE "limits" ("key" varchar(100) NOT NULL PRIMARY KEY,'
                ' "began_at" timestamp with time zone NOT NULL, "times" integer NOT NULL)',
            ],
            reverse_sql=['DROP TABLE "limits"'],
        ),
    ]

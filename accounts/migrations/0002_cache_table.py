from django.db import migrations


class Migration(migrations.Migration):
    """The table of the `DatabaseCache` named `cache`, as `createcachetable` would make it."""

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql=[
                'CREATE TABLE "cache" ("cache_key" varchar(255) NOT NULL PRIMARY KEY, "value" text NOT NULL,'
                ' "expires" timestamp with time zone NOT NULL)',
                'CREATE INDEX "cache_expires" ON "cache" ("expires")',
            ],
            reverse_sql=['DROP TABLE "cache"'],
        ),
    ]

from django.db import migrations, models

# Deferred to the commit, so that the lock is the last one that a transaction takes and is held for no time. Under it
# the numbers follow the order of the commits. Sessions that had run out already are cleared away without a word.
NOTE = """
CREATE FUNCTION accounts_note_revocation() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    following bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('accounts_revocation'));
    SELECT coalesce(max(number), 0) + 1 INTO following FROM accounts_revocation;
    INSERT INTO accounts_revocation (number, subject)
    VALUES (following, TG_ARGV[0] || ':' || (to_jsonb(OLD) ->> TG_ARGV[1]));
    DELETE FROM accounts_revocation WHERE number <= following - 1000;
    RETURN NULL;
END
$$
"""
OF_SESSIONS = """
CREATE CONSTRAINT TRIGGER session_revocation AFTER DELETE ON django_session
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.expire_date > now())
EXECUTE FUNCTION accounts_note_revocation('session', 'session_key')
"""
OF_PEOPLE = """
CREATE CONSTRAINT TRIGGER user_revocation AFTER UPDATE OF password, is_active ON accounts_user
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
WHEN (OLD.password <> NEW.password OR OLD.is_active AND NOT NEW.is_active)
EXECUTE FUNCTION accounts_note_revocation('user', 'id')
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_cache_table"),
        ("sessions", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Revocation",
            fields=[
                ("number", models.BigIntegerField(primary_key=True, serialize=False)),
                ("subject", models.CharField(max_length=60)),
            ],
        ),
        migrations.RunSQL(NOTE, "DROP FUNCTION accounts_note_revocation"),
        migrations.RunSQL(OF_SESSIONS, "DROP TRIGGER session_revocation ON django_session"),
        migrations.RunSQL(OF_PEOPLE, "DROP TRIGGER user_revocation ON accounts_user"),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0006_limits"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="avatar_key",
            field=models.CharField(blank=True, db_default="", default="", editable=False, max_length=32),
        ),
    ]

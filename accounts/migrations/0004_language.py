from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_revocation")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="language",
            field=models.CharField(blank=True, default="", max_length=12, verbose_name="language"),
        ),
    ]

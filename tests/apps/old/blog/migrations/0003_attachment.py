from django.db import migrations, models


class Migration(migrations.Migration):
    """A new one, which the dump does not have."""

    dependencies = [('blog', '0002_slug')]
    operations = [
        migrations.AddField(
            'post', 'attachment', models.FileField(blank=True, db_default='', upload_to='private/posts/')
        )
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """An old one: the release before could not have lived with it."""

    dependencies = [('blog', '0001_initial')]
    operations = [migrations.AddField('post', 'slug', models.SlugField(default='post'))]

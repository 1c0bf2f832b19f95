from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Length


class Migration(migrations.Migration):
    initial = True
    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]
    operations = [
        migrations.CreateModel(
            'Post',
            [
                ('id', models.AutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=100)),
                ('length', models.GeneratedField(expression=Length('title'), output_field=models.IntegerField(), db_persist=True)),
                ('author', models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)),
            ],
            options={'ordering': ['-pk']},
        ),
    ]

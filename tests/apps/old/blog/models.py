from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Length


class Post(models.Model):
    author = models.ForeignKey(User, models.CASCADE)
    title = models.CharField(max_length=100)
    length = models.GeneratedField(expression=Length('title'), output_field=models.IntegerField(), db_persist=True)
    slug = models.SlugField(default='post')
    attachment = models.FileField(upload_to='private/posts/', blank=True, db_default='')

    class Meta:
        ordering = ['-pk']

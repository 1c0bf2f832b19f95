from django.conf import settings
from django.db import models


class Note(models.Model):
    title = models.CharField(max_length=100)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created", "title"]
        verbose_name_plural = "notes"


class Tag(models.Model):
    name = models.CharField(max_length=20)

    def __str__(self):
        return "tag %s" % self.name

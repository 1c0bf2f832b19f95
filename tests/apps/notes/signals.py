from django.db.models.signals import post_save
from django.dispatch import receiver

from .models import Note


@receiver(post_save, sender=Note)
def say_so(sender, instance, created, **kwargs):
    if created:
        print("a note was written")

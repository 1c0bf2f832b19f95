from django.contrib.auth.models import AbstractUser
from django.core.validators import FileExtensionValidator
from django.db import models


class User(AbstractUser):
    """The project's own user from the first migration on, because swapping it in later is hard."""

    # For login(request, user) where no password was checked: with two backends Django asks which one it is for.
    backend = "logins.backends.ModelBackend"

    # An ImageField would also look into the file, at the price of Pillow in the image.
    photo = models.FileField(
        upload_to="photos/",
        blank=True,
        validators=[FileExtensionValidator(["gif", "jpeg", "jpg", "png", "webp"])],
    )

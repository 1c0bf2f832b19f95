from django.db import models


class Failure(models.Model):
    """A password that was wrong: one row for the client's address, and one for each account."""

    # A digest, because people also type passwords into the field for the name.
    key = models.CharField(max_length=64)
    time = models.DateTimeField(db_index=True)

    class Meta:
        indexes = (
            models.Index(fields=["key", "-time"], name="logins_failure_key_time"),
        )

    def __str__(self):
        return f"{self.key[:8]} at {self.time}"


class KnownAddress(models.Model):
    """An address from which somebody has logged in to an account, and when this was the last time."""

    key = models.CharField(max_length=64, primary_key=True)
    time = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "known addresses"

    def __str__(self):
        return f"{self.key[:8]} at {self.time}"

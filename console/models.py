"""Personal tokens, and fingerprints of the secrets this database was set up with."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from ledger.domain.ids import new_id
from ledger.models import Owned


class Token(Owned):
    """Stands for a person at the command line and the API; only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="tokens"
    )
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=12)
    sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(db_default=Now())
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Fingerprint(models.Model):
    """The hash of a secret, so that another one in its place is noticed before it does harm."""

    name = models.CharField(primary_key=True, max_length=100)
    value = models.CharField(max_length=64)
    stored_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.name

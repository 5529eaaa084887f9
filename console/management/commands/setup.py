"""The door of set-up: groups, the first operator, fingerprints. Safe to run at every start."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from console.operators import ensure_operator
from console.services import SecretChanged, TokenRefused, check_fingerprint
from firewall.services import ensure_groups


class Command(BaseCommand):
    """Makes what a first start needs, and checks that the secrets are the known ones."""

    help = "Make groups and the first operator; refuse to go on with another secret key."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            check_fingerprint("SECRET_KEY", settings.SECRET_KEY)
            ensure_groups()
            operator, fresh = ensure_operator(
                password=os.environ.get("AUTONOMY_OPERATOR_PASSWORD", ""),
                token=os.environ.get("AUTONOMY_OPERATOR_TOKEN", ""),
            )
        except SecretChanged as error:
            raise CommandError(str(error)) from None
        except TokenRefused:
            raise CommandError(
                "the token in secrets/operator.token was revoked. "
                "Delete that file and start again: a fresh token is made."
            ) from None
        self.stdout.write(f"account {operator.username}: {'made' if fresh else 'there already'}")

"""The door of a start: brings the database up to this version. Run as its owner."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from console.host.errors import HostError
from console.preparation import prepare


class Command(BaseCommand):
    """Checks the servers, migrates, makes the roles and the first operator."""

    help = "Bring the database up to this version; `autonomy up` runs it."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("made", nargs="*", help="roles to make; the others were given")

    def handle(self, *_args: Any, made: list[str], **_options: Any) -> None:
        try:
            answer = prepare(made, set_up=lambda: call_command("setup", stdout=self.stderr))
        except HostError as error:
            # Written for whoever started this process, who raises it again.
            self.stdout.write(json.dumps(error.as_json()))
            sys.exit(error.exit)
        self.stdout.write(json.dumps(answer))

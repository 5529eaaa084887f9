"""`token`: what stands for a person at the command line and the API."""

from typing import Annotated

import typer

from console.cli import door
from console.cli.terminal import Json, console, print_json, say, table

commands = typer.Typer(help="Personal tokens.", no_args_is_help=True)


@commands.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List your tokens."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.tokens import tokens_of

    found = tokens_of(door.person())
    if as_json:
        return print_json(found)
    now = timezone.now()
    rows = [
        [t.prefix, t.name, relative(t.created_at, now), relative(t.last_used_at, now) or "never",
         "revoked" if t.revoked_at else "live"]
        for t in found
    ]  # fmt: skip
    console().print(table(["begins with", "name", "made", "last used", "state"], rows))
    return None


@commands.command()
def new(
    name: Annotated[str, typer.Argument(help="What it is for, such as `laptop`.")],
    as_json: Json = False,
) -> None:
    """Make a token. It is shown once."""
    door.enter()
    from console.services import issue_token

    token = issue_token(door.person(), name)
    if as_json:
        return print_json({"name": name, "token": token})
    say(token)
    say("This is the only time it is shown. Use it as AUTONOMY_TOKEN.", style="dim")
    return None


@commands.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="How the token begins, as `list` shows it.")],
    as_json: Json = False,
) -> None:
    """End a token, at once."""
    door.enter()
    from console.selectors.tokens import token_of
    from console.services import revoke_token

    token = token_of(door.person(), prefix)
    ended = revoke_token(token)
    if as_json:
        return print_json({"name": token.name, "revoked": ended})
    say(f"{token.name} is revoked" if ended else f"{token.name} was revoked already")
    return None

"""`demo`: the main job, from what a detector saw to a verified outcome."""

import typer

commands = typer.Typer()

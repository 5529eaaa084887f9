"""`submit`, `tasks`, `explain`, `cancel`."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from console.cli import door
from console.cli.arguments import read
from console.cli.terminal import Json, complain, console, print_json, say, table
from console.domain.names import label, short
from console.host.exits import Exit

if TYPE_CHECKING:
    from console.selectors.tasks import TaskLine

commands = typer.Typer()
PANEL = "Work"


@commands.command(rich_help_panel=PANEL)
def submit(
    skill: Annotated[str, typer.Argument(help="A skill of the map, such as repo.survey.")],
    words: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE…", help="Its arguments.")
    ] = None,
    args: Annotated[str, typer.Option(help="Its arguments as one JSON object.")] = "",
    after: Annotated[list[str] | None, typer.Option(help="A task that must end first.")] = None,
    dedupe_key: Annotated[str, typer.Option(help="Ask only once while such a task lives.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    timeout: Annotated[float, typer.Option(help="How many seconds to wait at most.")] = 3600,
    as_json: Json = False,
) -> None:
    """Ask for one task. It runs when its tier, its dependencies and its turn allow."""
    door.enter()
    from autonomy.systemmap.selectors import declared_skill
    from autonomy.tasks.services import submit as ask
    from console.selectors.tasks import named, task
    from firewall.selectors import principal

    who = principal(door.person("firewall.submit_task"))
    component = declared_skill(skill)
    submitted = ask(
        skill,
        read(words or (), args, component.declaration["arguments"]),
        origin=who,
        requested_by=who,
        depends_on=[named(given).pk for given in after or ()],
        dedupe_key=dedupe_key or None,
    )
    if wait:
        run_id = task(submitted.task_id).run_id
        raise typer.Exit(_followed(run_id, timeout, as_json=as_json))
    _tell_submitted(task(submitted.task_id), created=submitted.created, as_json=as_json)


@commands.command(rich_help_panel=PANEL)
def tasks(
    state: Annotated[str, typer.Option(help="A state, or `live`, or `ended`.")] = "",
    skill: Annotated[str, typer.Option(help="Only tasks of this skill.")] = "",
    run: Annotated[str, typer.Option(help="Only what grew from this task.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 30,
    as_json: Json = False,
) -> None:
    """List the newest tasks."""
    door.enter()
    from django.utils import timezone

    from console.domain.times import relative
    from console.selectors.tasks import named, newest

    run_id = named(run).run_id if run else None
    found = newest(state=state, skill=skill, run=run_id, limit=limit)
    if as_json:
        return print_json(found)
    if not found:
        return say("no tasks; `autonomy submit SKILL` asks for one, `autonomy map` lists skills")
    now = timezone.now()
    rows = [
        [
            short(t.id),
            label(t.skill, t.key),
            t.tier,
            t.state,
            t.verdict,
            t.node,
            relative(t.created_at, now),
        ]
        for t in found
    ]
    console().print(table(["id", "task", "tier", "state", "verdict", "node", "asked"], rows))
    return None


@commands.command(rich_help_panel=PANEL)
def explain(
    task: Annotated[str, typer.Argument(help="Its id, or the end of it.")], as_json: Json = False
) -> None:
    """Say why a task runs where it runs, or why it does not run."""
    door.enter()
    from console.selectors.tasks import explained, named

    told = explained(named(task))
    if as_json:
        return print_json(told)
    say(f"{told.task.skill} {told.task.id}", style="bold")
    for sentence in told.sentences:
        say(f"  {sentence}")
    return None


@commands.command(rich_help_panel=PANEL)
def cancel(
    task: Annotated[str, typer.Argument(help="Its id, or the end of it.")],
    reason: Annotated[str, typer.Option(help="Kept with the task.")] = "no longer wanted",
    as_json: Json = False,
) -> None:
    """End a task. A running session is told, and ended within 16 seconds."""
    door.enter()
    from autonomy.tasks.services import cancel as end
    from console.selectors.tasks import named
    from console.selectors.tasks import task as line
    from firewall.selectors import principal

    who = principal(door.person("firewall.submit_task"))
    row = named(task)
    ended = end([row.pk], actor=who, reason=reason)
    if as_json:
        print_json({"task": line(row.pk), "ended": ended.get(row.pk, False)})
    elif row.pk not in ended:
        complain(f"{short(row.pk)} had ended already: {line(row.pk).state}")
    else:
        say(f"{short(row.pk)} {'is cancelled' if ended[row.pk] else 'was told to end'}")
    if row.pk not in ended:
        raise typer.Exit(Exit.REFUSED)


def _tell_submitted(task: "TaskLine", *, created: bool, as_json: bool) -> None:
    if as_json:
        return print_json({"task": task, "created": created})
    word = "is asked for as" if created else "is under way already as"
    say(f"{task.skill} {word} {task.id}")
    say(f"  follow it   autonomy tasks --run {short(task.id)}")
    say(f"  ask why     autonomy explain {short(task.id)}")
    return None


def _followed(run_id: UUID, timeout: float, *, as_json: bool) -> Exit:
    """Follow all that grew from one request; how it ended as an exit code."""
    from console.cli.watching import picture, watch
    from console.selectors.runs import run_of

    with picture(quiet=as_json) as shown:
        ended = watch(
            lambda: run_of([run_id]), until=lambda run: run.over, seconds=timeout, shown=shown
        )
    if as_json:
        print_json({"tasks": ended.tasks})
    return Exit.OK if all(task.state == "done" for task in ended.tasks) else Exit.NOT_DONE

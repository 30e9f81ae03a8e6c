"""``ovsnet install``: the agent as a service of systemd."""

from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import click

from ovsnet.cli.terminal import say
from ovsnet.deploy.systemd.install import Action, Step, carry_out, family_named, installation, removal
from ovsnet.deploy.systemd.units import SINGLE_FILE


@click.command()
@click.option(
    "--root",
    default="/",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Install into the host whose file system is mounted at DIR.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option("--remove", is_flag=True, help="Remove everything ovsnet installed.")
@click.option(
    "--family",
    default="auto",
    show_default=True,
    metavar="debian|rhel|auto",
    help="Distribution family whose users and directories to use.",
)
@click.option("--program", metavar="PATH", help="Path of ovsnet on that host. [the program that is running]")
@click.option("--json", "as_json", is_flag=True, help="Print the steps as JSON.")
def install(root: Path, dry_run: bool, remove: bool, family: str, program: str | None, as_json: bool) -> None:
    """Install systemd units: the agent, its sockets, `ovsnet doctor` at boot, and the order of ovn-controller."""
    steps = removal(root) if remove else installation(root, family_named(family, root), program or _running())
    if not dry_run:
        carry_out(steps)
    if as_json:
        say(json.dumps([_document(step, dry_run=dry_run) for step in steps]))
        return
    for step in steps:
        say(_line(step, dry_run=dry_run))
    say(_next(remove=remove) if steps else "ovsnet is not installed.", err=True)


def _running() -> str:
    """The single file, or what pip or a package put beside the interpreter."""
    started = Path(sys.argv[0]).absolute()
    single = started.suffix == SINGLE_FILE and zipfile.is_zipfile(started)
    return str(started if single else Path(sys.executable).with_name("ovsnet"))


DONE = {Action.WRITE: "wrote", Action.REMOVE: "removed", Action.KEEP: "kept"}


def _line(step: Step, *, dry_run: bool) -> str:
    said = f"would {step.action}" if dry_run else DONE[step.action]
    return f"{said} {step.path}" + (f" ({step.why})" if step.why else "")


def _document(step: Step, *, dry_run: bool) -> dict[str, object]:
    return {"action": step.action.value, "path": str(step.path), "why": step.why, "done": not dry_run}


def _next(*, remove: bool) -> str:
    if remove:
        return (
            "Next: systemctl disable --now ovsnet.socket ovsnet.service ovsnet-doctor.service; systemctl daemon-reload"
        )
    return (
        "Next: systemctl daemon-reload && systemctl enable --now ovsnet.socket ovsnet.service "
        "&& systemctl enable ovsnet-doctor.service"
    )

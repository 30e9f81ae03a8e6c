"""``ovsnet install``: the agent as a service of systemd."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ovsnet.cli.terminal import say
from ovsnet.deploy.systemd.install import Action, Step, carry_out, family_named, installation, removal


@click.command()
@click.option(
    "--root",
    default="/",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help="Install into the host whose file system is mounted at DIR.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@click.option("--remove", is_flag=True, help="Take everything out again that is ours.")
@click.option(
    "--family",
    default="auto",
    show_default=True,
    metavar="debian|rhel|auto",
    help="Whose names of users and directories to use.",
)
@click.option("--program", metavar="PATH", help="Where ovsnet is on that host. [the one that runs now]")
def install(root: Path, dry_run: bool, remove: bool, family: str, program: str | None) -> None:
    """Put ovsnet's units in place: the agent, its sockets, the host's examination, the order of ovn-controller."""
    steps = (
        removal(root)
        if remove
        else installation(root, family_named(family, root), program or str(Path(sys.executable).with_name("ovsnet")))
    )
    if not dry_run:
        carry_out(steps)
    for step in steps:
        say(_line(step, dry_run=dry_run))
    say(_next(remove=remove) if steps else "There is nothing of ours.", err=True)


DONE = {Action.WRITE: "wrote", Action.REMOVE: "removed", Action.KEEP: "kept"}


def _line(step: Step, *, dry_run: bool) -> str:
    said = f"would {step.action}" if dry_run else DONE[step.action]
    return f"{said} {step.path}" + (f" ({step.why})" if step.why else "")


def _next(*, remove: bool) -> str:
    if remove:
        return (
            "Next: systemctl disable --now ovsnet.socket ovsnet.service ovsnet-doctor.service; systemctl daemon-reload"
        )
    return (
        "Next: systemctl daemon-reload && systemctl enable --now ovsnet.socket ovsnet.service "
        "&& systemctl enable ovsnet-doctor.service"
    )

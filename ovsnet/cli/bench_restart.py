"""``ovsnet bench restart``: what comes back when, after a daemon was restarted under load."""

from __future__ import annotations

import functools
import logging
import shlex
from collections.abc import Callable, Sequence

import click

from ovsnet.bench.race import Strategy
from ovsnet.bench.restart import FEW_PORTS, Restart, restarts, restarts_by_command
from ovsnet.bench.result import Document
from ovsnet.bench.variant import VARIANTS, Target, Variant, require_possible
from ovsnet.cli.bench import ROUNDS, TARGET, Common, measurement
from ovsnet.cli.bench_run import run, run_on_own_nodes
from ovsnet.cli.options import Number
from ovsnet.config import Settings
from ovsnet.errors import UsageError
from ovsnet.node.rundir import Rundir


@click.command()
@click.option("--daemon", "daemons", multiple=True, default=("ovs-vswitchd",), show_default=True,
              type=click.Choice(["ovs-vswitchd", "ovsdb-server", "ovn-controller", "southbound"]),
              help="What is restarted; repeat to compare. Of a clustered southbound, its leader.")  # fmt: skip
@click.option("--variant", "variants", multiple=True, default=("plain",), show_default=True, metavar="NAME[:NUMBER]",
              help="How: " + ", ".join(VARIANTS) + "; repeat to compare.")  # fmt: skip
@click.option("--clients", multiple=True, default=(0,), show_default=True, type=click.IntRange(0, 4096),
              help="How many hammer the daemon's socket meanwhile; repeat to compare.")  # fmt: skip
@click.option("--strategy", default="naive", show_default=True, help="Of those clients, as in race.")
@click.option("--down", "downs", multiple=True, default=(0.0,), show_default=True, type=Number(0, 600),
              metavar="SECONDS", help="For how long the daemon stays away; repeat to compare.")  # fmt: skip
@click.option("--ports", default=2, show_default=True, type=click.IntRange(1, 10_000), help="Of the sandbox.")
@click.option("--raft", is_flag=True, help="The sandbox's southbound is a cluster of three.")
@click.option("--allow-disruption", is_flag=True, help="Restart a daemon of this host's node, not of a sandbox.")
@click.option("--restart-command", metavar="COMMAND", help="What restarts it there, such as a systemctl command.")
@click.option("--deadline", default=60.0, show_default=True, type=Number(1, 3600), metavar="SECONDS",
              help="How long a start may take.")  # fmt: skip
@ROUNDS
@measurement(*TARGET)
def restart(
    daemons: tuple[Target, ...], variants: tuple[str, ...], clients: tuple[int, ...], strategy: str,
    downs: tuple[float, ...], ports: int, raft: bool, allow_disruption: bool, restart_command: str | None,
    deadline: float, rounds: int, common: Common, settings: Settings,
) -> None:  # fmt: skip
    """Restart a daemon, and tell what came back when: socket, openflow, flows, ready.

    Every round has a sandbox node of its own. A real node is restarted only with --allow-disruption, and only plainly.
    """
    shape = Strategy.parse(strategy), ports, raft, deadline
    planned = [
        Restart(daemon, variant, number, shape[0], down, *shape[1:])
        for daemon in daemons
        for variant in map(Variant.parse, variants)
        for down in downs
        for number in clients
    ]
    for plan in planned:
        require_possible(plan.variant, plan.target, raft=raft)
    _require_whole(common)
    logging.getLogger("ovsnet").disabled = True  # what the witness finds is what is measured
    if not allow_disruption:
        _require_sandbox(settings, restart_command)
        run_on_own_nodes("restart", functools.partial(restarts, planned=planned, rounds=rounds), common)
        return
    command = _command_of(restart_command, planned, common)

    async def work(document: Document, rundir: Rundir, tell: Callable[[str, int], None]) -> None:
        await restarts_by_command(document, planned[0], settings, rundir, command, rounds=rounds, tell=tell)

    run("restart", work, common, settings)


def _require_whole(common: Common) -> None:
    if common.shard.of > 1:
        raise UsageError("A restart cannot be split into shards.", remedy="Leave --shard out.")


def _require_sandbox(settings: Settings, restart_command: str | None) -> None:
    """Raise UsageError for who means a real node and has not said that it may be disrupted."""
    named = "--restart-command" if restart_command else "--rundir" if settings.rundir else ""
    if named:
        raise UsageError(
            f"{named} is about a real node, and a restart disrupts its traffic.",
            remedy=f"Say --allow-disruption, or leave {named} out and have a sandbox.",
        )


def _command_of(restart_command: str | None, planned: Sequence[Restart], common: Common) -> list[str]:
    """The words of the command that restarts the daemon of a real node. Raises UsageError."""
    if common.sandbox:
        raise UsageError("--sandbox and --allow-disruption exclude each other.", remedy="Leave one of them out.")
    plan = planned[0]
    if len(planned) > 1 or plan.variant.name != "plain" or plan.down or plan.raft or plan.ports != FEW_PORTS:
        raise UsageError(
            "A real node is restarted plainly, one daemon at a time.",
            remedy="Compare settings by `ovsnet tune apply` between two runs and `ovsnet bench compare`.",
        )
    try:
        words = shlex.split(restart_command or "")
    except ValueError as error:
        raise UsageError(f"--restart-command is no command: {error}.") from error
    if not words:
        raise UsageError(
            f"How {plan.target} is restarted on this node was not said.",
            remedy="Name it: --restart-command 'systemctl restart openvswitch-switch'.",
        )
    if plan.target == "southbound":
        raise UsageError("The southbound of a real node is not restarted from here.", remedy="Use a sandbox.")
    return words

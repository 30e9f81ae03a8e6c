"""``bench restart``: what comes back when, after a daemon was restarted under load."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from ovsnet.bench.cells import seconds
from ovsnet.bench.option import NODE, Duration, Option, Whole, Words, rounds
from ovsnet.bench.race import Strategy
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.restart import FEW_PORTS, RealNode, Restart, measure
from ovsnet.bench.result import Run
from ovsnet.bench.variant import PLAIN, VARIANTS, DaemonName, Variant, require_possible
from ovsnet.bench.workload import Job, OnNode, OnOwnNodes, Request, Workload
from ovsnet.errors import UsageError
from ovsnet.node.rundir import Rundir

OPTIONS = (
    Option(
        "--daemon", Words("ovs-vswitchd", "ovsdb-server", "ovn-controller", "southbound"),
        "Daemon to restart; repeat to compare. For a clustered southbound, its leader.", ("ovs-vswitchd",),
        name="daemons", many=True,
    ),
    Option(
        "--variant", str, "How to restart it: " + ", ".join(VARIANTS) + "; repeat to compare.", ("plain",),
        name="variants", many=True, metavar="NAME[:NUMBER]",
    ),
    Option(
        "--clients", Whole(0, 4096), "Number of clients that hammer its socket meanwhile; repeat to compare.", (0,),
        many=True,
    ),
    Option("--strategy", str, "How those clients connect, as in race.", "naive", metavar="STRATEGY"),
    Option(
        "--down", Duration(0, 600), "How long the daemon stays down; repeat to compare.", (0.0,), name="downs",
        many=True
    ),
    Option("--ports", Whole(1, 10_000), "Logical ports in the sandbox.", FEW_PORTS),
    Option("--raft", bool, "Make the sandbox's southbound a cluster of three."),
    Option("--allow-disruption", bool, "Restart a daemon of this host's node, not of a sandbox."),
    Option(
        "--restart-command", str, "Command that restarts it there, such as a systemctl command.", metavar="COMMAND"
    ),
    Option("--deadline", Duration(1, 3600), "Time limit for a start.", 60.0),
    rounds(3),
)  # fmt: skip


def plan(
    *, daemons: Sequence[DaemonName], variants: Sequence[str], clients: Sequence[int], strategy: str,
    downs: Sequence[float], ports: int, raft: bool, allow_disruption: bool, restart_command: str | None,
    deadline: float, rounds: int, request: Request,
) -> Job:  # fmt: skip
    """Restart a daemon, and report when its socket, OpenFlow, the flows and readiness came back.

    Every round has its own sandbox. On a real node a daemon is restarted only with --node --allow-disruption, and only
    with the variant plain.
    """
    parsed = Strategy.parse(strategy)
    planned = [
        Restart(
            target=daemon,
            variant=variant,
            clients=number,
            strategy=parsed,
            down=down,
            ports=ports,
            raft=raft,
            deadline=deadline,
        )
        for daemon in daemons
        for variant in map(Variant.parse, variants)
        for down in downs
        for number in clients
    ]
    for each in planned:
        require_possible(each.variant, each.target, raft=raft)
    if request.shard.of > 1:
        raise UsageError("restart cannot be split into shards.", remedy="Omit --shard.")
    if not allow_disruption:
        _require_sandbox(request, restart_command)
        return OnOwnNodes(rounds, planned)
    restart, command = _only(planned, request), _words_of(restart_command, planned[0].target)

    def plans(rundir: Rundir) -> Sequence[Restart]:
        return [replace(restart, real_node=RealNode(request.settings, rundir, command))]

    return OnNode(rounds, plans, until_problem=True)  # a node that did not come back is not restarted once more


def _require_sandbox(request: Request, restart_command: str | None) -> None:
    """Raise UsageError when a real node is named, and may not be disrupted."""
    named = "--restart-command" if restart_command else "--rundir" if request.settings.rundir else ""
    named = named or ("" if request.sandbox else "--node")
    if named:
        raise UsageError(
            f"{named} needs a real node, and a restart disrupts its traffic.",
            remedy=f"Add --node --allow-disruption, or omit {named} to use a sandbox.",
        )


def _only(planned: Sequence[Restart], request: Request) -> Restart:
    """The restart that a real node can do. Raises UsageError when other ones are planned."""
    if request.sandbox:
        raise UsageError(
            "--allow-disruption applies to this host's node, but a sandbox was asked for.", remedy="Add --node."
        )
    first = planned[0]
    if len(planned) > 1 or first.variant != PLAIN or first.down or first.raft or first.ports != FEW_PORTS:
        raise UsageError(
            "On a real node, only one daemon can be restarted, with the variant plain.",
            remedy="To compare settings, run `ovsnet tune apply` between two runs, then `ovsnet bench compare`.",
        )
    return first


def _words_of(restart_command: str | None, target: DaemonName) -> Sequence[str]:
    """The words of the command that restarts the daemon of a real node. Raises UsageError."""
    try:
        words = shlex.split(restart_command or "")
    except ValueError as error:
        raise UsageError(f"--restart-command cannot be parsed: {error}.") from error
    if not words:
        raise UsageError(
            f"There is no command to restart {target} on this node.",
            remedy="Give one: --restart-command 'systemctl restart openvswitch-switch'.",
        )
    if target == "southbound":
        raise UsageError("The southbound of a real node cannot be restarted from here.", remedy="Use a sandbox.")
    return words


def columns(run: Run[RestartMeasures]) -> Mapping[str, str]:
    """Medians, and the slowest in brackets; of fewer than ten rounds the fastest and the slowest."""
    found, clients = run.measures, run.measures.clients
    return {
        "restart": run.name,
        "done": str(found.done),
        **{f"{found.title(fact)} s": seconds(values) for fact, values in found.samples()},
        "clients done": str(clients.done) if clients else "-",
        "clients lost": str(clients.lost) if clients else "-",
    }


def plots(runs: Sequence[Run[RestartMeasures]]) -> Iterator[str]:
    """The timeline."""
    from ovsnet.bench.report_restart import plots as drawn  # matplotlib is an extra

    return drawn(runs)


WORKLOAD = Workload(
    kind="restart",
    options=OPTIONS,
    settings=NODE,
    plan=plan,
    measures=RestartMeasures,
    measure=measure,
    columns=columns,
    fresh_rounds=True,
    cost="Restarting this host's daemon closes its connections and may stop traffic until the flows are back.",
    plots=plots,
)

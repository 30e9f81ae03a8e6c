"""Restart a daemon while clients connect to its socket again and again, and measure what came back when."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from functools import partial

import anyio
import msgspec

from ovsnet.bench.load_clients import LoadClients
from ovsnet.bench.observer import Observer
from ovsnet.bench.probe_protocol import ProtocolName
from ovsnet.bench.procedure import Procedure, daemon_of
from ovsnet.bench.race import Strategy
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.result import Run, Setting
from ovsnet.bench.shard import Shard
from ovsnet.bench.variant import DaemonName, Variant
from ovsnet.bench.versions import versions
from ovsnet.bench.workload import Turn
from ovsnet.config import Settings
from ovsnet.errors import OvsnetError, PeerError
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import together

NODE_TIMEOUT = 240.0
"""Seconds until a sandbox is ready: one with 3000 ports took from 13 to 104."""

FEW_PORTS = 2

READY_TIMEOUT = 30.0
"""Seconds for the agent to find the node ready before anything is done to it."""

GUARD = 0.2
"""Seconds between two checks that all daemons live."""


class RealNode(msgspec.Struct, frozen=True):
    """A node of this host, whose daemon a ``command`` restarts."""

    settings: Settings
    rundir: Rundir
    command: Sequence[str]


class Restart(msgspec.Struct, frozen=True):
    """``clients`` connect to the daemon's socket again and again, by a ``strategy``. The daemon stays away for ``down``
    seconds, and its start may take ``deadline`` seconds. ``ports`` and ``raft`` shape the sandbox that is made for it,
    unless it is done on a ``real_node``."""

    target: DaemonName
    variant: Variant
    clients: int = 0
    strategy: Strategy | None = None
    down: float = 0.0
    ports: int = FEW_PORTS
    raft: bool = False
    deadline: float = 60.0
    real_node: RealNode | None = None

    @property
    def name(self) -> str:
        """Distinguishes it from the other restarts of a document."""
        parts = [self.target, str(self.variant)]
        parts += [f"down {self.down:g} s"] if self.down else []
        parts += [f"{self.ports} ports"] if self.ports != FEW_PORTS else []
        parts += ["raft"] if self.raft else []
        parts += [f"{self.clients} {self.strategy.text if self.strategy else ''}".strip()] if self.clients else []
        return ", ".join(parts)

    def settings(self) -> dict[str, Setting]:
        """What was asked for, as the document records it."""
        return {
            "daemon": self.target,
            "variant": str(self.variant),
            "clients": self.clients,
            "strategy": self.strategy.text if self.strategy else None,
            "down": self.down,
            "ports": self.ports,
            "raft": self.raft,
        }

    def operations(self, shard: Shard) -> int:
        """One."""
        return 1


async def measure(plan: Restart, run: Run[RestartMeasures], turn: Turn) -> None:
    """One restart. In sandboxes each has a node of its own: no backoff and no setting of one reaches the next."""
    if plan.real_node is not None:
        turn.begin(run)
        await _restart_by_command(plan, plan.real_node, run)
        return
    async with Sandbox(ports=plan.ports, raft=plan.raft) as node:
        await node.wait_ready(NODE_TIMEOUT)
        turn.document.versions = turn.document.versions or await versions(Rundir(node.rundir, node.rundir))
        turn.begin(run)
        await restart_on(node, plan, run)


async def restart_on(node: Sandbox, plan: Restart, run: Run[RestartMeasures]) -> None:
    """One round on a sandbox that is ready, whatever shape ``plan`` would give it."""
    observer = Observer(Settings(), Rundir(node.rundir, node.rundir))
    procedure = Procedure(node, await daemon_of(node, plan.target), plan.variant, plan.down)

    async def restart() -> None:
        with anyio.fail_after(plan.deadline * (1 + plan.variant.before)):
            await procedure.prepare(observer)
        with anyio.fail_after(plan.deadline + plan.down + plan.variant.lingers):
            await procedure.carry_out(observer)
            await together(partial(procedure.synced, observer), partial(observer.until_over, plan.variant.lingers))

    await observe(plan, run, observer, restart, lambda: died(node, procedure.away))
    await procedure.restore()


async def _restart_by_command(plan: Restart, real_node: RealNode, run: Run[RestartMeasures]) -> None:
    observer = Observer(real_node.settings, real_node.rundir)

    async def restart() -> None:
        node, target = observer.agent.node, plan.target
        sockets = {"ovs-vswitchd": node.rundir.mgmt(node.settings.bridge[0]), "ovsdb-server": node.rundir.database}
        recovery = observer.watch([target], sockets[target].path if target in sockets else "")
        with anyio.CancelScope(shield=True):  # half a restart is worse than a late Ctrl-C
            done = await anyio.run_process(real_node.command, check=False)
        if done.returncode:
            raise PeerError(f"{real_node.command[0]} failed: {done.stderr.decode(errors='replace').strip()[-400:]}")
        with anyio.fail_after(plan.deadline):
            await observer.until_over(0.0)
        if (started := node.daemons[target].started_at) is not None:
            recovery.started_at = max(started, recovery.stopped_at)

    await observe(plan, run, observer, restart, dead=lambda: "")


async def observe(
    plan: Restart,
    run: Run[RestartMeasures],
    observer: Observer,
    restart: Callable[[], Awaitable[None]],
    dead: Callable[[], str],
) -> None:
    """Do ``restart`` while ``observer`` watches. What goes wrong is a problem of ``run``, as is a daemon that
    ``dead`` names."""
    run.began, since = time.time(), observer.now()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_with_daemon, run, dead, tasks.cancel_scope)
        try:
            with anyio.fail_after(READY_TIMEOUT + plan.ports / 100):
                await tasks.start(observer.run)
            await _under_load(plan, run, observer, restart)
            run.measures.done += 1
        except TimeoutError:
            run.problems.append(f"{plan.name}: not everything came back in time: {observer.lacking()}")
        except OvsnetError as error:
            run.problems.append(f"{plan.name}: {error}")
        for fact, seconds in observer.samples().items():
            setattr(run.measures, fact, [seconds])
        tasks.cancel_scope.cancel()
    run.ended = run.began + observer.now() - since


async def _under_load(
    plan: Restart, run: Run[RestartMeasures], observer: Observer, restart: Callable[[], Awaitable[None]]
) -> None:
    async with AsyncExitStack() as stack:
        if plan.clients and plan.strategy:
            protocol, address = contended_socket(plan.target, observer)
            clients = LoadClients(protocol, address, plan.clients, plan.strategy)
            await stack.enter_async_context(clients)
        await restart()
        if plan.clients and plan.strategy:
            run.measures.clients = await clients.end()


def contended_socket(target: DaemonName, observer: Observer) -> tuple[ProtocolName, Address]:
    """The socket that clients race for when this daemon restarts: its own, or the switch's, which ovn-controller
    wants."""
    node = observer.agent.node
    match target:
        case "ovsdb-server":
            return "ovsdb", node.rundir.database
        case "southbound":
            return "ovsdb", node.southbound_remotes[0]
        case _:
            return "openflow", node.rundir.mgmt(node.settings.bridge[0])


def died(node: Sandbox, away: Collection[str]) -> str:
    """The first daemon that does not run and should; empty when all do."""
    return next((name for name in node.daemons if name not in away and not node.running(name)), "")


async def _end_with_daemon(run: Run[RestartMeasures], dead: Callable[[], str], scope: anyio.CancelScope) -> None:
    while not (name := dead()):  # noqa: ASYNC110 - a process that ends notifies only its parent
        await anyio.sleep(GUARD)
    run.problems.append(f"{run.name}: {name} died during the run.")
    scope.cancel()

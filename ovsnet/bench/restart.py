"""Restart a daemon while clients hammer its socket, and tell what came back when."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import anyio

from ovsnet.bench.load_clients import Hammer
from ovsnet.bench.observer import Witness
from ovsnet.bench.probe_protocol import Name
from ovsnet.bench.procedure import Orders, daemon_of
from ovsnet.bench.race import Strategy
from ovsnet.bench.result import Document, Run, Setting
from ovsnet.bench.variant import Target, Variant
from ovsnet.bench.versions import versions
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
"""Seconds between two looks whether all daemons live."""

Tell = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Restart:
    """``clients`` hammer the daemon's socket; ``down`` is for how many seconds it stays away; ``deadline`` is how
    long a start may take. ``ports`` and ``raft`` shape the sandbox."""

    target: Target
    variant: Variant
    clients: int = 0
    strategy: Strategy | None = None
    down: float = 0.0
    ports: int = FEW_PORTS
    raft: bool = False
    deadline: float = 60.0

    @property
    def name(self) -> str:
        """What tells it from the other restarts of a document."""
        parts = [self.target, str(self.variant)]
        parts += [f"down {self.down:g} s"] if self.down else []
        parts += [f"{self.ports} ports"] if self.ports != FEW_PORTS else []
        parts += ["raft"] if self.raft else []
        parts += [f"{self.clients} {self.strategy.text if self.strategy else ''}".strip()] if self.clients else []
        return ", ".join(parts)

    def settings(self) -> dict[str, Setting]:
        """What the document tells of it."""
        return {
            "daemon": self.target,
            "variant": str(self.variant),
            "clients": self.clients,
            "strategy": self.strategy.text if self.strategy else None,
            "down": self.down,
            "ports": self.ports,
            "raft": self.raft,
        }


async def restarts(document: Document, tell: Tell, *, planned: Sequence[Restart], rounds: int) -> None:
    """Each restart has a node of its own: no backoff and no setting of one reaches the next."""
    for number in range(rounds):
        for plan in planned:
            tell(f"{plan.name}, round {number + 1} of {rounds}", 1)
            async with Sandbox(ports=plan.ports, raft=plan.raft) as node:
                await node.wait_ready(NODE_TIMEOUT)
                document.versions = document.versions or await versions(Rundir(node.rundir, node.rundir))
                await restart_on(node, document, plan, number)


async def restart_on(node: Sandbox, document: Document, plan: Restart, number: int) -> None:
    """One round on a sandbox that is ready, whatever shape ``plan`` would give it."""
    run = Run(kind="restart", name=plan.name, round=number, settings=plan.settings())
    document.runs.append(run)
    witness = Witness(Settings(), Rundir(node.rundir, node.rundir))
    orders = Orders(node, await daemon_of(node, plan.target), plan.variant, plan.down)

    async def restart() -> None:
        with anyio.fail_after(plan.deadline * (1 + plan.variant.before)):
            await orders.prepare(witness)
        with anyio.fail_after(plan.deadline + plan.down + plan.variant.lingers):
            await orders.carry_out(witness)
            await together(partial(orders.synced, witness), partial(witness.until_over, plan.variant.lingers))

    await measure(plan, run, witness, restart, lambda: died(node, orders.away))
    await orders.restore()


async def restarts_by_command(
    document: Document, plan: Restart, settings: Settings, rundir: Rundir, command: Sequence[str], *, rounds: int,
    tell: Tell,
) -> None:  # fmt: skip
    """Restart a daemon of a real node by ``command``, round after round."""
    for number in range(rounds):
        tell(f"{plan.name}, round {number + 1} of {rounds}", 1)
        run = Run(kind="restart", name=plan.name, round=number, settings=plan.settings())
        document.runs.append(run)
        witness = Witness(settings, rundir)
        restart = partial(_by_command, witness, plan, command)
        await measure(plan, run, witness, restart, dead=lambda: "")
        if run.problems:
            return  # a node that did not come back is not restarted once more


async def _by_command(witness: Witness, plan: Restart, command: Sequence[str]) -> None:
    node = witness.agent.node
    sockets = {"ovs-vswitchd": node.rundir.mgmt(node.settings.bridge[0]), "ovsdb-server": node.rundir.database}
    recovery = witness.watch([plan.target], sockets[plan.target].path if plan.target in sockets else "")
    with anyio.CancelScope(shield=True):  # half a restart is worse than a late Ctrl-C
        done = await anyio.run_process(command, check=False)
    if done.returncode:
        raise PeerError(f"{command[0]} failed: {done.stderr.decode(errors='replace').strip()[-400:]}")
    with anyio.fail_after(plan.deadline):
        await witness.until_over(0.0)
    if (started := node.daemons[plan.target].started_at) is not None:
        recovery.started_at = max(started, recovery.stopped_at)


async def measure(
    plan: Restart, run: Run, witness: Witness, restart: Callable[[], Awaitable[None]], dead: Callable[[], str]
) -> None:
    """Do ``restart`` under the eyes of ``witness``. What goes wrong is a problem of ``run``, as is a daemon that
    ``dead`` names."""
    run.began, since = time.time(), witness.now()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_with_daemon, run, dead, tasks.cancel_scope)
        try:
            with anyio.fail_after(READY_TIMEOUT + plan.ports / 100):
                await tasks.start(witness.run)
            await _hammered(plan, run, witness, restart)
            run.count("done")
        except TimeoutError:
            run.problems.append(f"{plan.name}: not everything came back in time: {witness.lacking()}")
        except OvsnetError as error:
            run.problems.append(f"{plan.name}: {error}")
        run.samples = {what: [seconds] for what, seconds in witness.samples().items()}
        tasks.cancel_scope.cancel()
    run.ended = run.began + witness.now() - since


async def _hammered(plan: Restart, run: Run, witness: Witness, restart: Callable[[], Awaitable[None]]) -> None:
    async with AsyncExitStack() as stack:
        if plan.clients and plan.strategy:
            protocol, address = hammered(plan.target, witness)
            hammer = await stack.enter_async_context(Hammer(protocol, address, plan.clients, plan.strategy))
        await restart()
        if plan.clients and plan.strategy:
            for what, times in (await hammer.end()).items():
                run.count(f"hammer {what}", times)


def hammered(target: Target, witness: Witness) -> tuple[Name, Address]:
    """The socket that clients race for when this daemon restarts: its own, or the switch's, which ovn-controller
    wants."""
    node = witness.agent.node
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


async def _end_with_daemon(run: Run, dead: Callable[[], str], scope: anyio.CancelScope) -> None:
    while not (name := dead()):  # noqa: ASYNC110 - a process that ends tells only its parent
        await anyio.sleep(GUARD)
    run.problems.append(f"{run.name}: {name} died during the run.")
    scope.cancel()

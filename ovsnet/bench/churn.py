"""Changes of the northbound, one after the other, and when every chassis has them.

A change adds a logical port and counts ``nb_cfg`` up in the same transaction. Its interface is in the switch of one
chassis already. Then all is watched: ``ovn-installed`` of the interface, which ovn-controller sets once the switch has
acknowledged the flows (controller/if-status.c), and ``hv_cfg`` of the northbound, which northd counts up once all
chassis have handed on theirs (northd/northd.c, ``update_northbound_cfg``).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import anyio
import msgspec

from ovsnet import ovsdb, unixctl
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.measures import Measures, Tally
from ovsnet.bench.memory import own_peak_bytes, resident_bytes
from ovsnet.bench.result import ENGINE, Run, Setting
from ovsnet.bench.shard import Shard
from ovsnet.bench.versions import versions
from ovsnet.bench.workload import Turn
from ovsnet.errors import OvsnetError, UnixctlRefused
from ovsnet.io.address import Address
from ovsnet.node.process import sample
from ovsnet.node.rundir import Rundir
from ovsnet.ovsdb.operations import Operation, insert, mutate, select
from ovsnet.ovsdb.values import NamedUuid, Uuid
from ovsnet.sandbox.daemons import Chassis
from ovsnet.sandbox.node import Sandbox

NODE_TIMEOUT = 240.0
"""Seconds until a node is ready: twenty of them share the cores."""

NORTHBOUND, SOUTHBOUND, SWITCH = "OVN_Northbound", "OVN_Southbound", "Open_vSwitch"
LOGICAL_SWITCH = "ls0"
"""The one that a sandbox has."""

ENGINES = {
    "ovn-northd": ("lflow",),
    "ovn-controller": ("logical_flow_output", "physical_flow_output", "lflow_output", "pflow_output"),
}
"""Daemons that compute incrementally, and the nodes of their engines that make flows: by the names up to OVN 25.09, and
since. A node without inputs counts each run as a recompute (lib/inc-proc-eng.c, ``engine_run_node``), so the sum of all
nodes would say how often an engine ran."""


class ChurnMeasures(Measures, kw_only=True):
    """Nanoseconds from the commit of a change: until the port's own chassis had its flows, and until all chassis had
    handed on theirs. ``recomputes`` and ``computes`` say how often flows were computed from nothing, and incrementally,
    by daemon."""

    titles: ClassVar[dict[str, str]] = {"installed": "until ovn-installed", "everywhere": "until all chassis have it"}

    installed: Histogram = msgspec.field(default_factory=Histogram)
    everywhere: Histogram = msgspec.field(default_factory=Histogram)
    recomputes: Tally = msgspec.field(default_factory=dict)
    computes: Tally = msgspec.field(default_factory=dict)


class Churn(msgspec.Struct, frozen=True):
    """``changes`` on a network of so many ``chassis``, of which one holds ``ports`` to begin with; ``at_once`` are
    under way together. Each is given ``deadline`` seconds."""

    chassis: int
    changes: int
    ports: int
    at_once: int
    deadline: float

    @property
    def name(self) -> str:
        """Distinguishes it from the other churns of a document."""
        return f"{self.chassis} chassis, {self.ports} ports, {self.at_once} at once"

    def settings(self) -> dict[str, Setting]:
        """What was asked for, as the document records it."""
        return {
            "chassis": self.chassis,
            "changes": self.changes,
            "ports": self.ports,
            "at_once": self.at_once,
            "deadline": self.deadline,
        }

    def operations(self, shard: Shard) -> int:
        """Changes."""
        return self.changes


async def measure(plan: Churn, run: Run[ChurnMeasures], turn: Turn) -> None:
    """One network, made for this round."""
    async with AsyncExitStack() as stack:
        central = await stack.enter_async_context(Sandbox(ports=plan.ports))
        await central.wait_ready(NODE_TIMEOUT)
        nodes = [central]
        for number in range(1, plan.chassis):
            chassis = Chassis(f"chassis{number}", central.southbound, f"127.0.1.{number}")
            nodes.append(await stack.enter_async_context(Sandbox(ports=0, chassis=chassis)))
        network = Network(central, [await Switch.of(stack, node) for node in nodes])
        await network.open(stack)
        await network.registered(plan.chassis)
        turn.document.versions = turn.document.versions or await versions(Rundir(central.rundir, central.rundir))
        turn.begin(run)
        await churn(plan, network, run)


async def churn(plan: Churn, network: Network, run: Run[ChurnMeasures]) -> None:
    """Do all changes, and fill in what they took."""
    before, own = await spent(network.nodes), time.process_time()
    counted = await computed(network.nodes)
    run.began, since = time.time(), time.monotonic()
    numbers = iter(range(plan.changes))

    async def work() -> None:
        for number in numbers:
            try:
                with anyio.fail_after(plan.deadline):
                    await change(network, number, run.measures)
            except TimeoutError:
                run.measures.lost += 1
            else:
                run.measures.done += 1

    try:
        async with anyio.create_task_group() as tasks:
            for _ in range(plan.at_once):
                tasks.start_soon(work)
    except* OvsnetError as group:
        run.problems.append(f"{run.name}: {group.exceptions[0]}")
    run.ended = run.began + time.monotonic() - since
    run.cpu_seconds[ENGINE] = time.process_time() - own
    run.peak_bytes[ENGINE] = own_peak_bytes()
    for daemon, (cpu, resident) in (await spent(network.nodes)).items():
        run.cpu_seconds[daemon] = cpu - before[daemon][0]
        run.peak_bytes[daemon] = resident
    for daemon, (recomputes, computes) in (await computed(network.nodes)).items():
        run.measures.recomputes[daemon] = recomputes - counted[daemon][0]
        run.measures.computes[daemon] = computes - counted[daemon][1]
    if run.measures.lost:
        run.problems.append(f"{run.name}: {run.measures.lost} changes did not arrive within {plan.deadline:g} s.")


async def change(network: Network, number: int, found: ChurnMeasures) -> None:
    """Add a port, and wait until all have it."""
    name, switch = f"churn{number}", network.switches[number % len(network.switches)]
    await switch.add_interface(name)
    began = time.monotonic_ns()
    wanted = await network.add_port(name, number)
    async with anyio.create_task_group() as tasks:

        async def installed() -> None:
            await switch.until(lambda: switch.installed(name))
            found.installed.record(time.monotonic_ns() - began)

        tasks.start_soon(installed)
        await network.until(lambda: network.applied >= wanted)
        found.everywhere.record(time.monotonic_ns() - began)


class Watcher:
    """Waits for facts that a monitor brings."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def changed(self, changes: object) -> None:
        """Something is new."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, fact: Callable[[], bool]) -> None:
        """Return when it is so."""
        while not fact():
            await self._changed.wait()


class Switch(Watcher):
    """One chassis's switch, and its database."""

    def __init__(self, node: Sandbox, session: ovsdb.Session) -> None:
        super().__init__()
        self.node = node
        self._session = session
        self._monitor: ovsdb.Monitor | None = None

    @classmethod
    async def of(cls, stack: AsyncExitStack, node: Sandbox) -> Switch:
        """Watched until the stack is left."""
        address = Address.unix(node.rundir / "db.sock")
        switch = cls(node, await stack.enter_async_context(await ovsdb.connect(address, timeout=NODE_TIMEOUT)))
        tables = {"Interface": ["name", "external_ids"]}
        switch._monitor = await switch._session.monitor(SWITCH, tables, on_change=switch.changed)
        return switch

    def installed(self, name: str) -> bool:
        """Whether ovn-controller says so of this interface."""
        assert self._monitor is not None
        rows = self._monitor.tables.get("Interface", {}).values()
        return any(row["name"] == name and "ovn-installed" in cast("Any", row["external_ids"]) for row in rows)

    async def add_interface(self, name: str) -> None:
        """On br-int, for the logical port of the same name."""
        await self._session.transact(
            SWITCH,
            insert(
                "Interface", {"name": name, "type": "internal", "external_ids": {"iface-id": name}}, name="interface"
            ),
            insert("Port", {"name": name, "interfaces": NamedUuid("interface")}, name="port"),
            mutate("Bridge", [("ports", "insert", NamedUuid("port"))], [("name", "==", self.node.bridge)]),
            # As ovs-vsctl does: ovs-vswitchd looks at what it is to do when this changes.
            mutate("Open_vSwitch", [("next_cfg", "+=", 1)]),
            timeout=NODE_TIMEOUT,
        )


@dataclass
class Network(Watcher):
    """The central databases, and all switches."""

    central: Sandbox
    switches: Sequence[Switch]
    _northbound: ovsdb.Session = field(init=False)
    _globals: ovsdb.Monitor = field(init=False)

    def __post_init__(self) -> None:
        super().__init__()

    @property
    def nodes(self) -> list[Sandbox]:
        """All of them, the central one first."""
        return [switch.node for switch in self.switches]

    async def open(self, stack: AsyncExitStack) -> None:
        """Watch the northbound until the stack is left."""
        address = Address.unix(self.central.rundir / "ovnnb_db.sock")
        self._northbound = await stack.enter_async_context(await ovsdb.connect(address, timeout=NODE_TIMEOUT))
        tables = {"NB_Global": ["nb_cfg", "hv_cfg"]}
        self._globals = await self._northbound.monitor(NORTHBOUND, tables, on_change=self.changed)

    @property
    def applied(self) -> int:
        """The state that all chassis have handed on."""
        (row,) = self._globals.tables["NB_Global"].values()
        return cast("int", row["hv_cfg"])

    async def add_port(self, name: str, number: int) -> int:
        """The state that holds it."""
        address = f"0a:01:00:00:{number >> 8 & 255:02x}:{number & 255:02x} 10.1.{number >> 8 & 255}.{number & 255}"
        operations: tuple[Operation, ...] = (
            insert("Logical_Switch_Port", {"name": name, "addresses": address}, name="port"),
            mutate("Logical_Switch", [("ports", "insert", NamedUuid("port"))], [("name", "==", LOGICAL_SWITCH)]),
            mutate("NB_Global", [("nb_cfg", "+=", 1)]),
            select("NB_Global", columns=["nb_cfg"]),
        )
        *_, counted = await self._northbound.transact(NORTHBOUND, *operations, timeout=NODE_TIMEOUT)
        return int(counted["rows"][0]["nb_cfg"])

    async def registered(self, chassis: int) -> None:
        """Return when the southbound knows so many, and all have handed on what there is."""
        address = Address.unix(self.central.rundir / "ovnsb_db.sock")
        watcher = Watcher()
        async with await ovsdb.connect(address, timeout=NODE_TIMEOUT) as southbound:
            monitor = await southbound.monitor(SOUTHBOUND, {"Chassis": ["name"]}, on_change=watcher.changed)
            rows: Callable[[], dict[Uuid, Any]] = lambda: cast("Any", monitor.tables.get("Chassis", {}))  # noqa: E731
            with anyio.fail_after(NODE_TIMEOUT):
                await watcher.until(lambda: len(rows()) >= chassis)
        await self.central.run("ovn-nbctl", "--wait=hv", "sync", timeout=NODE_TIMEOUT)


def _daemons(nodes: Sequence[Sandbox]) -> Iterator[tuple[str, int]]:
    """Each with its pid; those of one name are many."""
    for node in nodes:
        yield from ((name, node.pid(name)) for name in node.daemons)


async def spent(nodes: Sequence[Sandbox]) -> dict[str, tuple[float, int]]:
    """CPU seconds until now, and bytes of resident memory, by daemon: of all chassis together."""
    found: dict[str, tuple[float, int]] = {}
    for name, pid in _daemons(nodes):
        process = sample(pid, 0.0)
        cpu, resident = found.get(name, (0.0, 0))
        found[name] = (cpu + (process.cpu_seconds if process else 0.0), resident + resident_bytes(pid))
    return found


_COUNTS = re.compile(r"^Node: (\S+)\n- recompute:\s+(\d{1,20})\n- compute:\s+(\d{1,20})", re.MULTILINE)


async def computed(nodes: Sequence[Sandbox]) -> dict[str, tuple[int, int]]:
    """How often the engines computed flows from nothing and incrementally, by daemon. A daemon that is too old to say
    so is not in it (``inc-engine/show-stats``, since OVN 21.09)."""
    found: dict[str, tuple[int, int]] = {}
    for node in nodes:
        for name in ENGINES.keys() & node.daemons.keys():
            address = Address.unix(node.rundir / f"{name}.{node.pid(name)}.ctl")
            try:
                async with unixctl.connect(address, timeout=NODE_TIMEOUT) as session:
                    text = await session.call("inc-engine/show-stats", timeout=NODE_TIMEOUT)
            except UnixctlRefused:
                continue
            recomputes, computes = counted(text, ENGINES[name])
            before = found.get(name, (0, 0))
            found[name] = (before[0] + recomputes, before[1] + computes)
    return found


def counted(text: str, names: Collection[str]) -> tuple[int, int]:
    """Recomputes and computes of the nodes of these names, of an answer to ``inc-engine/show-stats``. Pure."""
    each = [(int(recomputes), int(computes)) for name, recomputes, computes in _COUNTS.findall(text) if name in names]
    return sum(recomputes for recomputes, _ in each), sum(computes for _, computes in each)

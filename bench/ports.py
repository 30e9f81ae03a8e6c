"""What does it cost to know which of 3000 ports are dead, while 50 of them come or go each second?

The agent asks the server for broken ports alone. The peer is told of every port: ``ovsdb-client`` is in C, and only
prints what it hears.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median

import anyio

from bench.agent_at_rest import SETTLE, cpu_share
from bench.comparison import Row, Target
from bench.processes import agent, memory, serving
from bench.runner import alone
from ovsnet import ovsdb
from ovsnet.io.address import Address
from ovsnet.node.interfaces import COLUMNS
from ovsnet.ovsdb.operations import Operation, insert, mutate
from ovsnet.ovsdb.values import NamedUuid, Uuid
from ovsnet.sandbox.node import Sandbox

PORTS = 3000
AT_ONCE = 500
"""Ports in one transaction."""

RATE = 50.0
"""Changes a second: a port that comes, or one that goes."""

WINDOW = 4.0
ROUNDS = 3
BRIDGE = "br-ports"
AGENT, PEER = "the agent", "ovsdb-client monitor Interface"
DAEMONS = ("ovsdb-server", "ovs-vswitchd")
TIMEOUT = 60.0

_COMING = itertools.count()


async def measure(node: Sandbox) -> list[Row]:
    address = Address.unix(node.rundir / "db.sock")
    daemons = {name: node.pid(name) for name in DAEMONS}
    async with await ovsdb.connect(address) as session:
        await fill(session)
        without = await churned(session, daemons)
        with serving(agent(node)) as ours:
            await anyio.sleep(SETTLE)
            rest = [await cpu_share(ours.pid, WINDOW) for _ in range(ROUNDS)]
            beside = await churned(session, {AGENT: ours.pid, **daemons})
            used = memory(ours.pid).resident
        with _listening(node) as peer:
            theirs = await churned(session, {PEER: peer})
    return rows(rest, used, beside | theirs, without)


async def churned(session: ovsdb.Session, pids: Mapping[str, int]) -> dict[str, list[float]]:
    """The parts of one core that these processes use while ports come and go, a figure a round."""
    found: dict[str, list[float]] = {name: [] for name in pids}

    async def watch(name: str, pid: int) -> None:
        found[name] += [await cpu_share(pid, WINDOW) for _ in range(ROUNDS)]

    async with anyio.create_task_group() as churning:
        churning.start_soon(churn, session)
        async with anyio.create_task_group() as tasks:
            for name, pid in pids.items():
                tasks.start_soon(watch, name, pid)
        churning.cancel_scope.cancel()
    return found


def rows(
    rest: Sequence[float], used: float, beside: Mapping[str, Sequence[float]], without: Mapping[str, Sequence[float]]
) -> list[Row]:
    """Parts of one core: the agent beside ports that stay, then each process while ports come and go, ``beside`` an
    agent and ``without`` one. ``used`` is in MiB."""
    ours, theirs = [share * 100 for share in beside[AGENT]], [share * 100 for share in beside[PEER]]
    then = f"while {RATE:.0f} of {PORTS} ports come or go each second"
    return [
        Row(f"Agent beside {PORTS} ports that stay: CPU, of one core", "%", [share * 100 for share in rest]),
        Row(f"Agent {then}: CPU, of one core", "%", ours, theirs, PEER, Target("ours", at_most=1.5)),
        Row(f"Agent {then}: VmRSS", "MiB", [used], target=Target("ours", at_most=57)),
        *(
            Row(
                f"{name} {then}: CPU more with an agent",
                "%",
                [(share - median(without[name])) * 100 for share in beside[name]],
                target=Target("ours", at_most=1.0),
            )
            for name in DAEMONS
        ),
    ]


@contextlib.contextmanager
def _listening(node: Sandbox) -> Iterator[int]:
    """The pid of a client that hears of every port."""
    columns = ("Open_vSwitch", "Interface", ",".join(COLUMNS))
    command = ["ovsdb-client", "monitor", f"unix:{node.rundir}/db.sock", *columns]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ | node.environment()) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


async def fill(session: ovsdb.Session) -> None:
    """``PORTS`` ports, on a bridge of their own."""
    bridge = insert("Bridge", {"name": BRIDGE, "datapath_type": "dummy"}, name="bridge")
    root = mutate("Open_vSwitch", [("bridges", "insert", NamedUuid("bridge")), ("next_cfg", "+=", 1)])
    await session.transact("Open_vSwitch", bridge, root, timeout=TIMEOUT)
    for first in range(0, PORTS, AT_ONCE):
        made = [each for number in range(first, first + AT_ONCE) for each in _port(f"port{number}")]
        await session.transact("Open_vSwitch", *made, timeout=TIMEOUT)


async def churn(session: ovsdb.Session) -> None:
    """One port more, then one less, at ``RATE``; what is late is made up for. The last one may stay."""
    began = time.monotonic()
    for number in itertools.count(1, 2):
        made = await session.transact("Open_vSwitch", *_port(f"coming{next(_COMING)}"), timeout=TIMEOUT)
        await anyio.sleep(max(began + number / RATE - time.monotonic(), 0.0))
        await session.transact("Open_vSwitch", _without(Uuid(made[1]["uuid"][1])), timeout=TIMEOUT)
        await anyio.sleep(max(began + (number + 1) / RATE - time.monotonic(), 0.0))


def _port(name: str) -> list[Operation]:
    interface, port = f"interface_{name}", f"port_{name}"
    return [
        insert("Interface", {"name": name, "type": "dummy"}, name=interface),
        insert("Port", {"name": name, "interfaces": NamedUuid(interface)}, name=port),
        mutate("Bridge", [("ports", "insert", NamedUuid(port))], [("name", "==", BRIDGE)]),
    ]


def _without(port: Uuid) -> Operation:
    """Port and Interface go with the last reference to them."""
    return mutate("Bridge", [("ports", "delete", port)], [("name", "==", BRIDGE)])


if __name__ == "__main__":
    alone(measure)

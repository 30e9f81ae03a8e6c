"""Daemons without descriptors, without CPU, with much to do, or with one thread that does not go on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

from ovsnet.sandbox import binaries
from tests.faults.daemons import NO_FLOWS
from tests.faults.fault import Scene, Steps, fault
from tests.faults.programs import BACKLOG, clients, no_more_descriptors, program

CGROUPS = Path("/sys/fs/cgroup/cpu")
"""Version 1, where a group for one process can be made beside those of a container."""

MEMORY_CGROUPS = Path("/sys/fs/cgroup/memory")


def exhausted(daemon: str, socket: str) -> Callable[[Scene], Steps]:
    async def steps(scene: Scene) -> Steps:
        with no_more_descriptors(scene.node.pid(daemon)), clients(scene.socket(socket), BACKLOG + 5):
            yield

    return steps


for _daemon, _socket in {
    "ovsdb-server": "db.sock",
    "ovs-vswitchd": "br-int.mgmt",
    "ovn-controller": "ovn-controller.{ovn-controller}.ctl",
}.items():
    fault(
        "descriptors-exhausted",
        name=f"{_daemon}-out-of-descriptors",
        about=f"{_daemon} has as many descriptors as it may have, and clients wait at {_socket.partition('.{')[0]}.",
        passing="mgmt-backlog-full ovsdb-backlog-full",
    )(exhausted(_daemon, _socket))


@contextlib.contextmanager
def _throttled(pid: int) -> Iterator[None]:
    """One thousandth of a core (Documentation/scheduler/sched-bwc.rst)."""
    group = CGROUPS / f"ovsnet-{pid}"
    before = next(
        line.split(":")[2] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if ":cpu:" in line
    )
    group.mkdir()
    try:
        (group / "cpu.cfs_period_us").write_text("1000000")
        (group / "cpu.cfs_quota_us").write_text("1000")
        (group / "cgroup.procs").write_text(str(pid))
        yield
    finally:
        (group / "cpu.cfs_quota_us").write_text("-1")
        (CGROUPS / before.lstrip("/") / "cgroup.procs").write_text(str(pid))
        group.rmdir()


for _daemon, _component in {"ovs-vswitchd": "vswitchd", "ovsdb-server": "ovsdb"}.items():

    async def _throttle(scene: Scene, daemon: str = _daemon) -> Steps:
        with _throttled(scene.node.pid(daemon)):
            yield

    fault(
        f"{_component}-slow",
        "healthy",
        name=f"{_component}-throttled",
        about=f"{_daemon} gets a thousandth of a core.",
        passing=f"{NO_FLOWS} vswitchd-not-connected vswitchd-slow controller-slow",
        needs="cgroup",
    )(_throttle)


@contextlib.asynccontextmanager
async def _stopped_thread(scene: Scene, pid: int, thread: int) -> AsyncIterator[None]:
    """The thread is stopped by ptrace(2), as a debugger does; the process' state stays what it was."""
    arguments = ("-m", "tests.faults.stop_thread", str(thread))
    async with program(scene.node, sys.executable, *arguments) as tracer:
        assert tracer.stdout is not None
        assert await tracer.stdout.readline() == b"stopped\n", f"thread {thread} of {pid} cannot be traced"
        yield


def _threads(pid: int, name: str) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(task.name) for task in tasks if (task / "comm").read_text().startswith(name)]


@fault("vswitchd-hung", passing="vswitchd-slow", needs="root")
async def vswitchd_traced(scene: Scene) -> Steps:
    """A debugger holds ovs-vswitchd's main thread."""
    pid = scene.node.pid("ovs-vswitchd")
    async with _stopped_thread(scene, pid, pid):
        yield


@fault("vswitchd-hung", passing="vswitchd-slow", needs="root", deadline=75)
async def vswitchd_waits_for_a_stuck_revalidator(scene: Scene) -> Steps:
    """A revalidator thread is blocked, and the main thread waits for it: it wakes now and then, and does nothing."""
    pid = scene.node.pid("ovs-vswitchd")
    stuck = _threads(pid, "revalidator")[0]
    async with _stopped_thread(scene, pid, stuck):
        await scene.set("n-revalidator-threads=3", "other_config")
        yield
    await scene.unset("n-revalidator-threads", "other_config")


@fault("healthy", "vswitchd-slow", passing="vswitchd-slow", needs="heavy")
async def vswitchd_busy_with_many_flows(scene: Scene) -> Steps:
    """200 000 flows are added to another bridge, and taken away."""
    flows = scene.scratch / "flows"
    each = "table={} priority={} actions=drop\n"
    flows.write_text("".join(each.format(number % 200, number // 200 + 1) for number in range(200_000)))
    await scene.node.run("ovs-vsctl", "add-br", "br-busy")
    ofctl = str(binaries.find().path("ovs-ofctl"))
    async with program(scene.node, ofctl, "-OOpenFlow15", "--bundle", "add-flows", "br-busy", str(flows)):
        yield
    await scene.node.run("ovs-vsctl", "del-br", "br-busy")


@fault("healthy", passing="ovsdb-slow")
async def database_compacted_over_and_over(scene: Scene) -> Steps:
    """ovsdb-server compacts its file twenty times a second."""
    control = str(scene.socket("ovsdb-server.{ovsdb-server}.ctl"))
    appctl = str(binaries.find().path("ovs-appctl"))
    again = 'while "$@"; do sleep 0.05; done'
    async with program(scene.node, "/bin/sh", "-c", again, "sh", appctl, "-t", control, "ovsdb-server/compact"):
        yield


@fault("healthy", passing="vswitchd-slow ovsdb-slow southbound-slow controller-slow", needs="heavy")
async def host_busy(scene: Scene) -> Steps:
    """Eight busy loops run beside a healthy node."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(8):
            await stack.enter_async_context(program(scene.node, "/bin/sh", "-c", "while :; do :; done"))
        yield


async def _restart_late(scene: Scene, daemon: str, seconds: float, *others: str) -> None:
    await scene.node.stop(daemon)
    for other in others:
        await scene.node.restart(other)
    await asyncio.sleep(seconds)  # the order of the starts is the fault: the others sit in their backoff
    await scene.node.start(daemon)


@fault("healthy", passing=NO_FLOWS, starts=True)
async def switch_started_after_the_controller(scene: Scene) -> Steps:
    """ovs-vswitchd started four seconds after ovn-controller, which waits out its backoff."""
    await _restart_late(scene, "ovs-vswitchd", 4, "ovn-controller")
    yield


@fault("healthy", passing=f"ovsdb-down vswitchd-not-connected {NO_FLOWS}", starts=True)
async def database_started_after_the_switch(scene: Scene) -> Steps:
    """ovsdb-server started two seconds after ovs-vswitchd."""
    await _restart_late(scene, "ovsdb-server", 2, "ovs-vswitchd")
    yield


@fault("healthy", passing=f"southbound-down northd-not-connected {NO_FLOWS}", starts=True)
async def southbound_started_after_the_controller(scene: Scene) -> Steps:
    """The southbound started four seconds after ovn-controller and ovs-vswitchd."""
    await _restart_late(scene, "ovn-sb", 4, "ovn-controller", "ovs-vswitchd")
    yield


@fault("healthy", passing=f"ovsdb-restarting ovsdb-down vswitchd-not-connected {NO_FLOWS}", starts=True)
async def database_restarted_over_and_over(scene: Scene) -> Steps:
    """ovsdb-server was restarted twice: ovs-vswitchd carries its backoff over."""
    for _ in range(2):
        await scene.node.restart("ovsdb-server")
        await asyncio.sleep(0.3)
    yield


EATS = """
import pathlib, sys, time
group = pathlib.Path(sys.argv[1])
(group / "cgroup.procs").write_text("0")
eaten = []
while int((group / "memory.usage_in_bytes").read_text()) < float(sys.argv[2]):
    eaten.append(b"x" * (1 << 20))
print("full", flush=True)
time.sleep(3600)
"""


@fault("memory-short", needs="cgroup", deadline=45)
async def vswitchd_near_its_memory_limit(scene: Scene) -> Steps:
    """Something else in ovs-vswitchd's cgroup leaves it 7 % of the memory limit."""
    pid, limit = scene.node.pid("ovs-vswitchd"), 256 << 20
    with limited_memory(pid, limit) as group:
        arguments = ("-c", EATS, str(group), str(0.93 * limit))
        async with program(scene.node, sys.executable, *arguments) as eater:
            assert eater.stdout is not None
            assert await eater.stdout.readline() == b"full\n"
            yield


@contextlib.contextmanager
def limited_memory(pid: int, limit: int) -> Iterator[Path]:
    """A group for the process alone, and its limit in bytes."""
    group = MEMORY_CGROUPS / f"ovsnet-{pid}"
    before = next(
        line.split(":")[2] for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if ":memory:" in line
    )
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit))
        (group / "cgroup.procs").write_text(str(pid))
        yield group
    finally:
        (MEMORY_CGROUPS / before.lstrip("/") / "cgroup.procs").write_text(str(pid))
        group.rmdir()


def cgroups() -> bool:
    """Whether a process can be throttled here."""
    return os.access(CGROUPS / "cgroup.procs", os.W_OK)

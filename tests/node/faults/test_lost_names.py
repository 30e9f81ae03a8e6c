"""Names of the run directory that are lost while the daemons behind them run. Each observer says the same: an agent
that was there, and one that came later."""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ovsnet.health.checks.result import Status
from ovsnet.sandbox.node import Sandbox
from tests.node.faults.conftest import Watched, Watching

pytestmark = pytest.mark.restored

SETTLED = {"start_allowance": 0.01}
"""The daemons started long ago, for all that the agent cares."""


@contextlib.contextmanager
def moved(path: Path) -> Iterator[None]:
    """Nothing is there."""
    away = path.with_name(f"{path.name}.away")
    path.rename(away)
    try:
        yield
    finally:
        away.replace(path)


@contextlib.contextmanager
def regular(path: Path) -> Iterator[None]:
    with moved(path):
        path.touch()
        yield


@contextlib.contextmanager
def dead(path: Path) -> Iterator[None]:
    """A socket on which nobody listens."""
    with moved(path):
        with socket.socket(socket.AF_UNIX) as ours:
            ours.bind(str(path))
        yield


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory beside the sandboxes': the path of a socket may have 107 bytes, and a link must not cross devices."""
    with tempfile.TemporaryDirectory(prefix="ovsnet-") as path:
        yield Path(path)


Way = Callable[[Path], AbstractContextManager[None]]
WAYS: list[Way] = [moved, regular, dead]


@contextlib.asynccontextmanager
async def within(
    watching: Watching, node: Sandbox, fault: AbstractContextManager[None], *, held: bool
) -> AsyncIterator[Watched]:
    """The fault, seen by an agent that was there before it, or by one that came within it. It is healed after the
    block, and the agent must say so."""
    async with contextlib.AsyncExitStack() as stack:
        if not held:
            stack.enter_context(fault)
        async with watching(node, **SETTLED) as agent:
            if held:
                await agent.says("healthy")
                stack.enter_context(fault)
            yield agent
            await stack.aclose()
            await agent.recovers()
            assert agent.agent.health.dead_since is None
            assert not [code for code in agent.codes if code.endswith(("-down", "-hung"))]


@pytest.mark.parametrize("held", [True, False], ids=["held", "fresh"])
@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
async def test_database_socket_without_its_name_is_missing_and_its_server_lives(
    node: Sandbox, watching: Watching, way: Way, held: bool
) -> None:
    async with within(watching, node, way(node.rundir / "db.sock"), held=held) as agent:
        told = await agent.tells(
            "socket-missing",
            state="not-ready",
            fact=f"ovsdb-server runs: process {node.pid('ovsdb-server')} runs",
            failed={"ovsdb.echo"},
            skipped={"ovsdb.bridge", "openflow.echo"},
        )
        assert f"process {node.pid('ovsdb-server')}" in told.remedy


@pytest.mark.parametrize("held", [True, False], ids=["held", "fresh"])
@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
@pytest.mark.parametrize(
    ("daemon", "check", "unasked"),
    [
        ("ovs-vswitchd", "vswitchd.ofproto", {"vswitchd.alone"}),
        ("ovn-controller", "controller.running", {"controller.connection"}),
    ],
)
async def test_control_socket_without_its_name_degrades_the_node_and_its_daemon_lives(
    node: Sandbox, watching: Watching, daemon: str, check: str, unasked: set[str], way: Way, held: bool
) -> None:
    pid = node.pid(daemon)
    async with within(watching, node, way(node.rundir / f"{daemon}.{pid}.ctl"), held=held) as agent:
        await agent.tells(
            "socket-missing",
            state="degraded",
            fact=f"{daemon} runs: process {pid} runs",
            failed={check},
            skipped=unasked,
        )
        assert agent.agent.health.results["openflow.flows"].status.passes, "the switch is asked where it answers"


@pytest.mark.parametrize("held", [True, False], ids=["held", "fresh"])
@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
async def test_management_socket_without_its_name_is_missing_and_the_switch_lives(
    node: Sandbox, watching: Watching, way: Way, held: bool
) -> None:
    async with within(watching, node, way(node.rundir / "br-int.mgmt"), held=held) as agent:
        await agent.tells(
            "mgmt-socket-missing",
            state="not-ready",
            fact=f"ovs-vswitchd runs: process {node.pid('ovs-vswitchd')} runs",
            failed={"openflow.echo"},
            skipped={"openflow.flows", "openflow.accept"},
        )


GROUPS = {"database": ("db.sock",), "bridge": ("br-int.mgmt",), "control": (".ctl",)}
SUBSETS = [
    (),
    ("database",),
    ("bridge",),
    ("control",),
    ("database", "bridge"),
    ("database", "control"),
    ("bridge", "control"),
]


def mount(node: Sandbox, directory: Path) -> None:
    """A second name for each socket and pidfile, as a bind mount of the run directory gives them."""
    for path in node.rundir.iterdir():
        os.link(path, directory / path.name)


def leave(directory: Path, *groups: str) -> None:
    """Only the sockets of these groups can still be seen."""
    ends = tuple(end for group in groups for end in GROUPS[group])
    for path in directory.iterdir():
        if not (ends and path.name.endswith(ends)):
            path.unlink()


@pytest.mark.parametrize("held", [True, False], ids=["held", "fresh"])
@pytest.mark.parametrize("shown", SUBSETS, ids=lambda shown: "+".join(shown) or "nothing")
async def test_run_directory_that_shows_some_sockets_or_none_has_nobody_restarted(
    node: Sandbox, watching: Watching, short_path: Path, shown: tuple[str, ...], held: bool
) -> None:
    """One wrong mount must not have every Open vSwitch restarted."""
    mount(node, short_path)
    if not held:
        leave(short_path, *shown)
    mounted = cast("Sandbox", SimpleNamespace(rundir=short_path))
    async with watching(mounted, **SETTLED) as agent:
        if held:
            await agent.says("healthy")
            leave(short_path, *shown)
        right = ("socket-missing", "mgmt-socket-missing", "not-visible")
        await agent.until(lambda: agent.diagnosis.code in right, "a word for the mount")
        await agent.until(lambda: told_by_all(agent, *shown), "each check's word")
        assert agent.diagnosis.code in right
        assert agent.agent.health.dead_since is None
        assert await agent.get("/ovs/livez") == (200, "ok\n")
        await agent.until(lambda: agent.agent.health.ready is agent.diagnosis.state.serves, "the end of the hysteresis")
        assert (await agent.get("/readyz"))[0] == (200 if agent.diagnosis.state.serves else 503)
        assert agent.diagnosis.state.serves is (set(shown) == {"database", "bridge"}), (
            "nothing else is needed to forward"
        )
    assert not [code for code in agent.codes if code.endswith(("-down", "-hung"))]


def told_by_all(agent: Watched, *shown: str) -> bool:
    """Each daemon's first check is ok where its socket can be seen, and nowhere else."""
    results = agent.agent.health.results
    hidden = {"ovsdb.echo": "database", "vswitchd.ofproto": "control", "controller.running": "control"}
    if "database" in shown:  # what openflow.echo builds on
        hidden["openflow.echo"] = "bridge"
    return all((results[check].status is Status.OK) is (group in shown) for check, group in hidden.items())

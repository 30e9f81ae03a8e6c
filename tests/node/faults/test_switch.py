"""Faults of ovs-vswitchd itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence

import pytest

from ovsnet.health.cause import State
from ovsnet.health.checks.result import Status
from ovsnet.health.diagnosis import Diagnosis
from ovsnet.node.unix_peers import HeldEnds, accepted
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.waiting import until
from tests.node.faults.conftest import Setting, Watching
from tests.node.faults.oneshot import checked
from tests.patience import PATIENCE

BEHIND_THE_SWITCH = {
    "vswitchd.alone",
    "vswitchd.ports",
    "openflow.echo",
    "openflow.flows",
    "openflow.accept",
    "controller.openflow",
}


@contextlib.asynccontextmanager
async def program(node: Sandbox, *argv: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program of OVS beside those of the sandbox, started by hand, for as long as the block lasts."""
    process = await asyncio.create_subprocess_exec(
        *die_with_parent(),
        *argv,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=os.environ | node.environment(),
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):  # the test has ended it
            process.terminate()
        await process.communicate()


def switch_arguments(node: Sandbox, *options: str) -> tuple[str, ...]:
    """ovs-vswitchd on the node's database, as a second start script would run it."""
    pidfile = f"--pidfile={node.rundir / 'ovs-vswitchd.pid'}"
    return ("ovs-vswitchd", f"unix:{node.rundir}/db.sock", pidfile, "--overwrite-pidfile", "-vconsole:off", *options)


@pytest.mark.restored
@pytest.mark.parametrize(("end", "fact"), [("stop", "There is no control socket"), ("kill", "Nobody listens on")])
async def test_switch_that_ended_is_down(node: Sandbox, watching: Watching, end: str, fact: str) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await getattr(node, end)("ovs-vswitchd")
        await agent.tells(
            "vswitchd-down",
            state="not-ready",
            fact=fact,
            failed={"vswitchd.ofproto"},
            skipped=BEHIND_THE_SWITCH,
            dead=True,
        )
        await node.start("ovs-vswitchd")
        await agent.recovers()
    assert "vswitchd-hung" not in agent.codes


@pytest.mark.restored
async def test_stopped_switch_is_hung(node: Sandbox, watching: Watching) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.freeze("ovs-vswitchd")
        await agent.tells(
            "vswitchd-hung",
            state="not-ready",
            fact=f"process {node.pid('ovs-vswitchd')} is stopped",
            failed={"vswitchd.ofproto"},
            skipped=BEHIND_THE_SWITCH,
            dead=True,
        )
        await node.thaw("ovs-vswitchd")
        await agent.recovers()


@pytest.mark.restored
async def test_switch_that_is_late_is_slow_and_the_node_serves(node: Sandbox, watching: Watching) -> None:
    """Stopped, but not for ``hung_after`` yet: nothing is proven."""
    async with watching(node, hung_after=60) as agent:
        await agent.says("healthy")
        await node.freeze("ovs-vswitchd")
        stopped = f"process {node.pid('ovs-vswitchd')} is stopped"
        await agent.tells("vswitchd-slow", state="degraded", fact=stopped)
        await node.thaw("ovs-vswitchd")
        await agent.recovers()
    assert "vswitchd-slow" in agent.codes
    assert agent.blamed == []


async def test_second_switch_that_waits_for_the_first_is_told_and_the_node_serves(
    node: Sandbox, watching: Watching
) -> None:
    async with watching(node) as agent:
        await agent.says("healthy")
        async with program(node, *switch_arguments(node, "--enable-dummy=override", "--disable-system")) as second:
            await agent.tells(
                "vswitchd-locked-out",
                state="degraded",
                fact=f"Process {node.pid('ovs-vswitchd')} serves, and a second ovs-vswitchd, process {second.pid}",
                failed={"vswitchd.alone"},
            )
        await agent.recovers()


async def test_second_switch_is_told_to_who_comes_later_too(
    node: Sandbox, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pidfile names the second one, whose control socket is the newest; the first still serves."""
    monkeypatch.setenv("OVSNET_START_ALLOWANCE", "0.5")
    first = node.pid("ovs-vswitchd")
    async with program(node, *switch_arguments(node, "--enable-dummy=override", "--disable-system")) as second:
        await node.wait_listening(f"ovs-vswitchd.{second.pid}.ctl")
        async with watching(node, start_allowance=0.5) as fresh:
            await fresh.tells(
                "vswitchd-locked-out",
                state="degraded",
                fact=f"Process {first} serves, and a second ovs-vswitchd, process {second.pid}",
                failed={"vswitchd.alone"},
            )
        exit_code, document = await checked(node)
    assert (exit_code, document["diagnosis"]["code"]) == (0, "vswitchd-locked-out")
    assert f"`kill {second.pid}`" in document["diagnosis"]["remedy"]


async def test_switch_of_another_node_of_this_host_is_not_a_second_one(
    shared_node: Sandbox, watching: Watching
) -> None:
    """Nodes in containers see each other's processes."""
    async with Sandbox(ovn=False) as other, watching(shared_node) as agent:
        await agent.says("healthy")
        told = agent.agent.health.results["vswitchd.alone"]
        assert (told.status, str(other.pid("ovs-vswitchd")) in told.detail) == (Status.OK, False)
        assert "vswitchd-locked-out" not in agent.codes


@pytest.mark.parametrize("allowance", [3600, 0.5])
async def test_switch_without_the_lock_of_its_database_is_locked_out(
    node: Sandbox, watching: Watching, allowance: float
) -> None:
    """Within the allowance of its start it may still get the lock."""
    await node.kill("ovs-vswitchd")
    async with program(node, "ovsdb-client", "lock", f"unix:{node.rundir}/db.sock", "ovs_vswitchd") as holder:
        assert holder.stdout is not None
        await holder.stdout.readline()  # it has the lock
        await node.start("ovs-vswitchd")
        async with watching(node, start_allowance=allowance) as agent:
            if allowance > 1:
                starting = await agent.says(
                    "starting", also={"vswitchd-locked-out"}, failed={"vswitchd.ofproto"}, skipped=BEHIND_THE_SWITCH
                )
                assert "without the database lock" in starting.summary
            else:
                await agent.tells(
                    "vswitchd-locked-out",
                    state="not-ready",
                    fact="ovs-vswitchd runs without the database lock and has configured nothing",
                    failed={"vswitchd.ofproto"},
                    skipped=BEHIND_THE_SWITCH,
                )
            holder.terminate()
            await holder.wait()
            await agent.recovers()


async def test_bridge_that_the_switch_cannot_build_has_no_datapath(node: Sandbox, watching: Watching) -> None:
    """No datapath of the bridge's type is there; the database looks fine."""
    async with watching(node, start_allowance=0.5) as agent:
        await agent.says("healthy")
        await node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-int", "datapath_type=unheard-of")
        await agent.tells(
            "datapath-missing",
            state="not-ready",
            fact="ovs-vswitchd answers, and serves no bridge, not even br-int",
            failed={"vswitchd.ofproto"},
            skipped=BEHIND_THE_SWITCH,
        )
        await node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-int", "datapath_type=system")
        await agent.recovers()


async def test_kernel_without_a_datapath_leaves_the_bridge_unbuilt(node: Sandbox, watching: Watching) -> None:
    """Where the host shows why, as where the module is missing, the host is the root."""
    await node.stop("ovs-vswitchd")
    async with watching(node, start_allowance=0.5) as agent:
        async with program(node, *switch_arguments(node, "--disable-system")):
            await agent.until(
                lambda: (
                    {agent.diagnosis.code: "host.fit" in agent.names(Status.FAILED)}
                    in ({"host-unfit": True}, {"datapath-missing": False})
                ),
                "the bridge or the host",
            )
            await agent.until(lambda: not agent.agent.health.ready, "unready")
            assert (await agent.get("/readyz"))[0] == 503
        await node.start("ovs-vswitchd")
        await agent.recovers()


async def test_switch_that_waits_to_find_the_database_again_is_told_with_the_second(
    node: Sandbox, watching: Watching
) -> None:
    """It tried after one second and after three, while the database was away, and waits four more."""
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.kill("ovsdb-server")
        await agent.says("ovsdb-down", failed={"ovsdb.echo"})
        gone_at = agent.agent.node.ovsdb.lost_at
        assert gone_at is not None
        await asyncio.sleep(3.4 - (agent.agent.clock() - gone_at))  # past the second attempt: only time does that
        await node.start("ovsdb-server")
        await agent.tells(
            "vswitchd-not-connected",
            state="degraded",
            fact="ovs-vswitchd lost the database, and serves no OpenFlow until it has it again",
            failed={"openflow.echo"},
            skipped={"openflow.flows", "openflow.accept"},
        )
        told = agent.agent.health.results["openflow.echo"]
        await agent.recovers()
        answered_at = agent.agent.health.results["openflow.echo"].at
        assert answered_at > told.at + float(told.values["retry_seconds"]) - 0.5


async def _long_backoff(node: Sandbox) -> None:
    """Restart ovsdb-server so that ovs-vswitchd waits for eight seconds before it looks for it again: a connection that
    was shorter than the backoff before it, four seconds here, doubles it (lib/reconnect.c,
    ``reconnect_disconnected``)."""
    database, switch = str(node.rundir / "db.sock"), node.pid("ovs-vswitchd")
    await node.kill("ovsdb-server")
    await asyncio.sleep(3.4)  # past the second attempt: only time does that
    await node.start("ovsdb-server")
    await until(lambda: HeldEnds().holds_one(switch, accepted(database) or frozenset()), PATIENCE, "It never tried.")
    await node.kill("ovsdb-server")
    await node.start("ovsdb-server")


BACKOFFS = 10
"""Attempts. A backoff is over after eight seconds, in which a machine with much to do may not get to ask everything."""

IN_BACKOFF: dict[str, Setting] = {"timeout": 1.0, "hung_after": 2.0, "start_allowance": 1.0}


async def test_switch_in_the_backoff_of_a_short_connection_is_not_called_slow(
    node: Sandbox, watching: Watching, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor by an agent that comes within it, or by ``ovsnet check``, which never saw the database go."""
    monkeypatch.setenv("OVSNET_START_ALLOWANCE", "1")
    told_it: set[str] = set()
    async with watching(node, **IN_BACKOFF) as held:
        await held.says("healthy")
        for _ in range(BACKOFFS):
            before = len(held.told)
            await _long_backoff(node)
            await asyncio.sleep(1.0)  # past the allowance: only time does that
            async with watching(node, **IN_BACKOFF) as fresh:
                exit_code, document = await checked(node, "--timeout", "1")
                for agent in (held, fresh):
                    await agent.recovers()
                told = {"check": document["diagnosis"]["code"] == "vswitchd-not-connected"}
                told["held"] = _tells_of_the_backoff(held.told[before:])
                told["fresh"] = _tells_of_the_backoff(fresh.told)
            assert exit_code == 0 or not told["check"]
            told_it |= {name for name, so in told.items() if so}
            if len(told_it) == len(told):
                return
    raise AssertionError(f"Only {told_it} ever told of it, and did not call it slow. {held.codes}")


def _tells_of_the_backoff(diagnoses: Sequence[Diagnosis]) -> bool:
    """Whether it did, with the words that are due, and called the switch slow only before: on a machine with much to
    do it is slow by itself now and then, and silent on its control socket as well."""
    codes = [diagnosis.code for diagnosis in diagnoses]
    if "vswitchd-not-connected" not in codes:
        return False
    since = codes.index("vswitchd-not-connected")
    assert diagnoses[since].state is State.DEGRADED
    assert any("serves no OpenFlow" in each for each in diagnoses[since].evidence)
    return "vswitchd-slow" not in codes[since:]


@pytest.mark.parametrize("written", ["ours", "nobody's", "nonsense"])
async def test_pidfile_that_lies_changes_nothing(node: Sandbox, watching: Watching, written: str) -> None:
    """The pid is reused by a stranger, is stale, or is none: the one behind the socket is judged."""
    pid = node.pid("ovs-vswitchd")
    text = {"ours": str(os.getpid()), "nobody's": str(await _pid_of_the_past()), "nonsense": "x"}[written]
    (node.rundir / "ovs-vswitchd.pid").write_text(f"{text}\n")
    async with watching(node) as agent:
        await agent.says("healthy")
        await node.freeze("ovs-vswitchd")
        await agent.says("vswitchd-hung", failed={"vswitchd.ofproto"}, fact=f"process {pid} is stopped")
        await node.thaw("ovs-vswitchd")
        await agent.recovers()


async def _pid_of_the_past() -> int:
    process = await asyncio.create_subprocess_exec("true")
    await process.wait()
    return process.pid

"""The canary feels what the daemon does, and nothing of us."""

from __future__ import annotations

import os
import signal
import time

import anyio
import pytest

from ovsnet.bench.canary import Canary, CanaryFindings
from ovsnet.bench.histogram import Histogram
from ovsnet.bench.race import Race, Strategy, measure
from ovsnet.bench.result import Document
from ovsnet.bench.shard import Shard
from ovsnet.bench.timer import Timer
from ovsnet.bench.workload import Turn
from ovsnet.bench.workloads.race import WORKLOAD
from ovsnet.errors import PeerError, UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.node.process import sample
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

FROZEN = 0.3


async def test_stall_is_felt_by_every_echo_that_it_delays(node: Sandbox) -> None:
    async with Canary("openflow", Address.unix(node.rundir / "br-int.mgmt")) as canary:
        await anyio.sleep(0.05)
        canary.load_begins()
        await anyio.sleep(0.05)
        await node.freeze("ovs-vswitchd")
        await anyio.sleep(FROZEN)
        await node.thaw("ovs-vswitchd")
        await anyio.sleep(0.05)
        felt = await canary.end()
    assert felt.lost == ""
    assert felt.loaded.highest / 1e9 >= FROZEN - 0.05
    # One echo every 5 ms was planned: half of those planned while it stood still waited for half of that, or longer.
    late = sum(count for value, count in felt.loaded.counts.items() if value >= _bucket(FROZEN / 2))
    assert late >= FROZEN / 2 / 0.005 * 0.8


async def test_own_stall_is_not_counted_as_the_daemons(shared_node: Sandbox) -> None:
    async with Canary("ovsdb", Address.unix(shared_node.rundir / "db.sock")) as canary:
        canary.load_begins()
        await anyio.sleep(0.02)
        time.sleep(FROZEN)  # noqa: ASYNC251 - this is the stall
        felt = await canary.end()
    assert felt.loaded.percentile(0.5) / 1e9 < FROZEN / 2
    assert felt.loaded.count > 10


async def test_daemons_end_is_reported(node: Sandbox) -> None:
    async with Canary("openflow", Address.unix(node.rundir / "br-int.mgmt")) as canary:
        await node.kill("ovs-vswitchd")
        felt = await canary.end()
    assert "br-int.mgmt" in felt.lost


async def test_it_does_not_outlive_a_run_that_was_cut_short(shared_node: Sandbox) -> None:
    canary = Canary("openflow", Address.unix(shared_node.rundir / "br-int.mgmt"))
    with anyio.CancelScope() as scope:
        async with canary:
            scope.cancel()
            await anyio.sleep_forever()
    assert canary.pid is not None
    assert sample(canary.pid, 0.0) is None


async def test_it_does_not_outlive_a_start_that_was_cut_short(node: Sandbox) -> None:
    await node.freeze("ovs-vswitchd")  # it accepts, and says no HELLO
    canary = Canary("openflow", Address.unix(node.rundir / "br-int.mgmt"))
    with anyio.CancelScope() as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(canary.__aenter__)
            await until(lambda: canary.pid is not None, 30.0, "it was not started")
            scope.cancel()
    assert canary.pid is not None
    assert sample(canary.pid, 0.0) is None


async def test_end_by_another_hand_is_reported(shared_node: Sandbox) -> None:
    async with Canary("openflow", Address.unix(shared_node.rundir / "br-int.mgmt")) as canary:
        assert canary.pid is not None
        os.kill(canary.pid, signal.SIGKILL)
        with pytest.raises(UnfitEnvironment, match="killed from outside"):
            await canary.end()


async def test_canary_that_was_shut_out_is_a_problem_of_the_run(
    shared_node: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def shut_out(self: Canary) -> CanaryFindings:
        return CanaryFindings(lost="no answer within 10 s.")

    monkeypatch.setattr(Canary, "end", shut_out)
    document = Document(command="race", began="2026-01-01", machines=[])
    race = Race("openflow", Address.unix(shared_node.rundir / "br-int.mgmt"), 1, 1, Strategy.parse("gated"), None, 50.0)
    await measure(race, WORKLOAD.run(race), Turn(document, Shard()))
    assert document.problems == ["The canary lost its connection: no answer within 10 s."]


async def test_nobody_to_ask_is_reported(tmp_path: object) -> None:
    with pytest.raises(PeerError, match=r"absent\.mgmt does not exist"):
        await Canary("openflow", Address.unix(f"{tmp_path}/absent.mgmt")).__aenter__()


async def test_timer_wakes_up_on_time_and_never_early() -> None:
    with Timer() as timer:
        for _ in range(3):
            at = time.monotonic() + 0.0123
            await timer.until(at)
            assert time.monotonic() >= at
        await timer.until(0.0)


def _bucket(seconds: float) -> int:
    return Histogram().bucket_of(int(seconds * 1e9))

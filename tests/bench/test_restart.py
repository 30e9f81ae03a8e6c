"""Restarts of real daemons, and what is told of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from ovsnet.bench.machine import this_machine
from ovsnet.bench.observer import Witness
from ovsnet.bench.procedure import Orders, daemon_of
from ovsnet.bench.race import Strategy
from ovsnet.bench.restart import Restart, measure, restarts, restarts_by_command
from ovsnet.bench.result import Document, Run
from ovsnet.bench.variant import Target, Variant
from ovsnet.config import Settings
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until


@pytest.fixture(autouse=True)
def silent_agent() -> Iterator[None]:
    log = logging.getLogger("ovsnet")
    log.disabled = True
    yield
    log.disabled = False


def document() -> Document:
    return Document(command="ovsnet bench restart", began="", machines=[this_machine()])


async def restarted(target: Target, text: str = "plain", **shape: Any) -> Run:
    found = document()
    plan = Restart(target, Variant.parse(text), **shape)
    await restarts(found, lambda title, total: None, planned=[plan], rounds=1)
    (run,) = found.runs
    assert run.problems == []
    assert run.done == 1
    assert found.versions["ovs-vswitchd"].startswith("ovs-vswitchd")
    return run


def seconds(run: Run, what: str) -> float:
    (value,) = run.samples[what]
    return value


async def test_switch_comes_back_before_its_flows() -> None:
    run = await restarted("ovs-vswitchd")
    assert {"socket", "switch", "openflow", "flows", "all flows", "ready"} <= set(run.samples)
    assert seconds(run, "openflow") <= seconds(run, "flows") <= seconds(run, "all back")
    assert seconds(run, "short of flows") > 0


async def test_backoff_that_is_carried_over_makes_the_flows_late() -> None:
    """ovn-controller waits 1 s after the first restart and 2 s after the next, whatever the machine does."""
    run = await restarted("ovs-vswitchd", "carried-over:1")
    assert seconds(run, "flows") > 1.5


async def test_time_that_it_stays_away_is_no_part_of_its_start() -> None:
    run = await restarted("ovs-vswitchd", down=1.5)
    assert seconds(run, "all back") >= seconds(run, "ready") + 1.4
    assert seconds(run, "short of flows") > 1.4


async def test_controller_that_comes_too_early_pays_its_backoff() -> None:
    """It asks at 0, 1 and 3 s; the switch comes at 1.5 s."""
    run = await restarted("ovs-vswitchd", "ahead:1.5")
    assert seconds(run, "flows") > 1.0


async def test_controller_that_waits_for_the_switch_finds_it() -> None:
    run = await restarted("ovs-vswitchd", "waited")
    assert seconds(run, "openflow") <= seconds(run, "controller")
    assert seconds(run, "openflow") <= seconds(run, "flows")


async def test_switch_serves_no_openflow_until_its_own_backoff_ends() -> None:
    run = await restarted("ovsdb-server")
    assert seconds(run, "database") <= seconds(run, "openflow")
    assert seconds(run, "short of flows") == 0.0


async def test_ports_that_were_given_back_are_claimed_anew(node: Sandbox) -> None:
    def claims() -> int:
        return node.log("ovn-controller", 1000).count("Claiming lport")

    before = claims()
    orders = Orders(node, "ovn-controller", Variant.parse("released"), 0.0)
    await orders.carry_out(Witness(Settings(), Rundir(node.rundir, node.rundir)))
    await until(lambda: claims() == 2 * before, 30.0, "The ports were not claimed anew.")


async def test_southbound_that_is_away_holds_nothing_up_for_ever() -> None:
    run = await restarted("ovn-controller", "southbound-down:1")
    assert seconds(run, "synced") > 1.0


async def test_leader_of_a_cluster_is_found_and_its_loss_survived() -> None:
    run = await restarted("southbound", raft=True)
    assert seconds(run, "synced") <= seconds(run, "all back")


async def test_clients_hammer_before_and_after() -> None:
    run = await restarted("ovs-vswitchd", clients=20, down=2.0, strategy=Strategy.parse("naive"))
    assert run.counts["hammer done"] > 0
    assert run.counts["hammer lost ENOENT"] > 0  # while there was no socket


async def test_setting_is_there_during_the_restart(node: Sandbox) -> None:
    orders = Orders(node, "ovn-controller", Variant.parse("wait-before-clear:500"), 0.0)
    await orders.prepare(Witness(Settings(), Rundir(node.rundir, node.rundir)))
    said = await node.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:ovn-ofctrl-wait-before-clear")
    assert said.strip() == '"500"'


async def test_daemon_that_dies_is_told(node: Sandbox) -> None:
    witness = Witness(Settings(), Rundir(node.rundir, node.rundir))
    plan = Restart("ovs-vswitchd", Variant.parse("plain"))
    run = Run(kind="restart", name=plan.name)

    async def dies() -> None:
        await node.kill("ovn-northd")
        await asyncio.Event().wait()

    await measure(plan, run, witness, dies, lambda: "" if node.running("ovn-northd") else "ovn-northd")
    assert run.problems == ["ovs-vswitchd, plain: ovn-northd died during the run."]
    assert run.done == 0


async def test_what_does_not_come_back_is_named(node: Sandbox) -> None:
    witness = Witness(Settings(), Rundir(node.rundir, node.rundir))
    plan = Restart("ovn-controller", Variant.parse("plain"), deadline=1.0)
    run = Run(kind="restart", name=plan.name)

    async def only_stops() -> None:
        witness.watch(["ovn-controller"], "")
        await node.stop("ovn-controller")
        async with asyncio.timeout(plan.deadline):
            await witness.until_over(0.0)

    await measure(plan, run, witness, only_stops, lambda: "")
    (problem,) = run.problems
    assert problem.startswith("ovn-controller, plain: not everything came back in time: ")
    assert run.done == 0


async def test_real_node_is_restarted_by_its_command(node: Sandbox) -> None:
    found = document()
    plan = Restart("ovs-vswitchd", Variant.parse("plain"))
    before = node.pid("ovs-vswitchd")
    script = f"kill {before}; while kill -0 {before} 2>/dev/null; do sleep 0.01; done"
    rundir = Rundir(node.rundir, node.rundir)

    async def start_when_it_is_gone() -> None:
        while node.running("ovs-vswitchd"):  # noqa: ASYNC110 - a process that ends tells only its parent
            await asyncio.sleep(0.01)
        await node.start("ovs-vswitchd")

    starting = asyncio.ensure_future(start_when_it_is_gone())
    await restarts_by_command(
        found, plan, Settings(), rundir, ["sh", "-c", script], rounds=1, tell=lambda title, total: None
    )
    await starting
    (run,) = found.runs
    assert run.problems == []
    assert seconds(run, "openflow") <= seconds(run, "flows")
    assert node.pid("ovs-vswitchd") != before


async def test_command_that_fails_is_told_and_not_repeated(node: Sandbox) -> None:
    found = document()
    plan = Restart("ovs-vswitchd", Variant.parse("plain"))
    rundir = Rundir(node.rundir, node.rundir)
    command = ["sh", "-c", "echo no such unit >&2; exit 4"]
    await restarts_by_command(found, plan, Settings(), rundir, command, rounds=3, tell=lambda title, total: None)
    (run,) = found.runs
    assert run.problems == ["ovs-vswitchd, plain: sh failed: no such unit"]


async def test_leader_is_looked_up_only_in_a_cluster(node: Sandbox) -> None:
    assert await daemon_of(node, "southbound") == "ovn-sb"
    assert await daemon_of(node, "ovs-vswitchd") == "ovs-vswitchd"

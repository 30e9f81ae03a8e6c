"""Restarts of real daemons, and what is measured of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ovsnet.bench.machine import this_machine
from ovsnet.bench.observer import Observer
from ovsnet.bench.procedure import Procedure, daemon_of
from ovsnet.bench.race import Strategy
from ovsnet.bench.recovery import RestartMeasures
from ovsnet.bench.restart import RealNode, Restart, observe
from ovsnet.bench.result import Document, Run
from ovsnet.bench.rounds import in_rounds
from ovsnet.bench.variant import PLAIN, DaemonName, Variant
from ovsnet.bench.workloads.restart import WORKLOAD
from ovsnet.config import Settings
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

pytestmark = pytest.mark.heavy


def document() -> Document:
    return Document(command="ovsnet bench restart", began="", machines=[this_machine()])


async def restarted(target: DaemonName, text: str = "plain", **shape: Any) -> Run[RestartMeasures]:
    found = document()
    plan = Restart(target, Variant.parse(text), **shape)
    await in_rounds(WORKLOAD, [plan], found, rounds=1, announce=lambda title, total: None)
    run: Run[RestartMeasures]
    (run,) = found.runs
    assert run.problems == []
    assert run.done == 1
    assert found.versions["ovs-vswitchd"].startswith("ovs-vswitchd")
    return run


def seconds(run: Run[RestartMeasures], fact: str) -> float:
    (value,) = dict(run.measures.samples())[fact]
    return value


async def test_switch_comes_back_before_its_flows() -> None:
    run = await restarted("ovs-vswitchd")
    assert {"socket", "switch", "openflow", "flows", "all_flows", "ready"} <= set(dict(run.measures.samples()))
    assert seconds(run, "openflow") <= seconds(run, "flows") <= seconds(run, "all_back")
    assert seconds(run, "short_of_flows") > 0


async def test_backoff_that_is_carried_over_makes_the_flows_late() -> None:
    """ovn-controller waits 1 s after the first restart and 2 s after the next, whatever the machine does."""
    run = await restarted("ovs-vswitchd", "carried-over:1")
    assert seconds(run, "flows") > 1.5


async def test_time_that_it_stays_away_is_no_part_of_its_start() -> None:
    run = await restarted("ovs-vswitchd", down=1.5)
    assert seconds(run, "all_back") >= seconds(run, "ready") + 1.4
    assert seconds(run, "short_of_flows") > 1.4


async def test_controller_that_comes_too_early_pays_its_backoff() -> None:
    """It asks at 0, 1 and 3 s; the switch comes at 1.5 s."""
    run = await restarted("ovs-vswitchd", "ahead:1.5")
    assert seconds(run, "flows") > 1.0


async def test_controller_that_waits_for_the_switch_finds_it() -> None:
    run = await restarted("ovs-vswitchd", "waited")
    assert seconds(run, "openflow") <= seconds(run, "controller")
    assert seconds(run, "openflow") <= seconds(run, "flows")


async def test_switch_serves_no_openflow_until_its_own_backoff_ends() -> None:
    """It is away for long enough that the agent finds the switch without OpenFlow, however busy the machine is."""
    run = await restarted("ovsdb-server", down=1.5)
    assert seconds(run, "database") <= seconds(run, "openflow")
    assert seconds(run, "short_of_flows") == 0.0


async def test_ports_that_were_given_back_are_claimed_again(node: Sandbox) -> None:
    def claims() -> int:
        return node.log("ovn-controller", 1000).count("Claiming lport")

    before = claims()
    procedure = Procedure(node, "ovn-controller", Variant.parse("released"), 0.0)
    await procedure.carry_out(Observer(Settings(), Rundir(node.rundir, node.rundir)))
    await until(lambda: claims() == 2 * before, 30.0, "The ports were not claimed again.")


async def test_southbound_that_is_away_holds_nothing_up() -> None:
    run = await restarted("ovn-controller", "southbound-down:1")
    assert seconds(run, "synced") > 1.0


async def test_leader_of_a_cluster_is_found_and_its_loss_survived() -> None:
    run = await restarted("southbound", raft=True)
    assert seconds(run, "synced") <= seconds(run, "all_back")


async def test_clients_connect_before_and_after() -> None:
    run = await restarted("ovs-vswitchd", clients=20, down=2.0, strategy=Strategy.parse("naive"))
    assert run.measures.clients is not None
    assert run.measures.clients.done > 0
    assert run.measures.clients.lost_by["ENOENT"] > 0  # while there was no socket


async def test_setting_is_there_during_the_restart(node: Sandbox) -> None:
    procedure = Procedure(node, "ovn-controller", Variant.parse("wait-before-clear:500"), 0.0)
    await procedure.prepare(Observer(Settings(), Rundir(node.rundir, node.rundir)))
    said = await node.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids:ovn-ofctrl-wait-before-clear")
    assert said.strip() == '"500"'


async def test_daemon_that_dies_is_reported(node: Sandbox) -> None:
    observer = Observer(Settings(), Rundir(node.rundir, node.rundir))
    plan = Restart("ovs-vswitchd", PLAIN)
    run = WORKLOAD.run(plan)

    async def dies() -> None:
        await node.kill("ovn-northd")
        await asyncio.Event().wait()

    await observe(plan, run, observer, dies, lambda: "" if node.running("ovn-northd") else "ovn-northd")
    assert run.problems == ["ovs-vswitchd, plain: ovn-northd died during the run."]
    assert run.done == 0


async def test_what_does_not_come_back_is_named(node: Sandbox) -> None:
    observer = Observer(Settings(), Rundir(node.rundir, node.rundir))
    plan = Restart("ovn-controller", PLAIN, deadline=1.0)
    run = WORKLOAD.run(plan)

    async def only_stops() -> None:
        observer.watch(["ovn-controller"], "")
        await node.stop("ovn-controller")
        async with asyncio.timeout(plan.deadline):
            await observer.until_over(0.0)

    await observe(plan, run, observer, only_stops, lambda: "")
    (problem,) = run.problems
    assert problem.startswith("ovn-controller, plain: not everything came back in time: ")
    assert run.done == 0


async def test_real_node_is_restarted_by_its_command(node: Sandbox) -> None:
    found = document()
    before = node.pid("ovs-vswitchd")
    script = f"kill {before}; while kill -0 {before} 2>/dev/null; do sleep 0.01; done"
    rundir = Rundir(node.rundir, node.rundir)

    async def start_when_it_is_gone() -> None:
        while node.running("ovs-vswitchd"):  # noqa: ASYNC110 - a process that ends notifies only its parent
            await asyncio.sleep(0.01)
        await node.start("ovs-vswitchd")

    starting = asyncio.ensure_future(start_when_it_is_gone())
    plan = Restart("ovs-vswitchd", PLAIN, real_node=RealNode(Settings(), rundir, ["sh", "-c", script]))
    await in_rounds(WORKLOAD, [plan], found, rounds=1, announce=lambda title, total: None)
    await starting
    (run,) = found.runs
    assert run.problems == []
    assert seconds(run, "openflow") <= seconds(run, "flows")
    assert node.pid("ovs-vswitchd") != before


async def test_command_that_fails_is_reported_and_not_repeated(node: Sandbox) -> None:
    found = document()
    rundir = Rundir(node.rundir, node.rundir)
    command = ["sh", "-c", "echo no such unit >&2; exit 4"]
    plan = Restart("ovs-vswitchd", PLAIN, real_node=RealNode(Settings(), rundir, command))
    await in_rounds(WORKLOAD, [plan], found, rounds=3, announce=lambda title, total: None, until_problem=True)
    (run,) = found.runs
    assert run.problems == ["ovs-vswitchd, plain: sh failed: no such unit"]


async def test_leader_is_looked_up_only_in_a_cluster(node: Sandbox) -> None:
    assert await daemon_of(node, "southbound") == "ovn-sb"
    assert await daemon_of(node, "ovs-vswitchd") == "ovs-vswitchd"

"""ovn-northd, where it runs on this host."""

from __future__ import annotations

import pytest

from ovsnet.health.causes import cause_of
from ovsnet.health.checks.nb import judge_laggards
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.components import SB
from ovsnet.node.laggards import Laggard, laggards
from ovsnet.sandbox.node import Sandbox
from tests.faults.central import count_up, leave_chassis
from tests.faults.programs import program
from tests.health.checks.conftest import Asking

NOW = 1_800_000_000.0


async def test_the_one_with_the_lock_is_active(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        said = await ask("northd.status")
    assert (said.status, said.values["active"]) == (Status.OK, True)


@pytest.mark.restored
async def test_paused_is_told_and_resumed_is_well(node: Sandbox, asking: Asking) -> None:
    control = f"{node.rundir}/ovn-northd.{node.pid('ovn-northd')}.ctl"
    async with asking(node) as ask:
        await node.run("ovn-appctl", "-t", control, "pause")
        paused = await ask("northd.status")
        await node.run("ovn-appctl", "-t", control, "resume")
        resumed = await ask.until("northd.status", lambda now: now.status is Status.OK)
    assert (paused.status, paused.reason) == (Status.FAILED, "northd-paused")
    assert resumed.status is Status.OK


@pytest.mark.restored
@pytest.mark.parametrize("held", [True, False])
async def test_killed_is_gone_and_ended_in_order_is_elsewhere(node: Sandbox, asking: Asking, held: bool) -> None:
    """A host that gives ovn-northd up is no longer a central host, for each observer."""
    async with asking(node) as ask:
        if held:
            assert (await ask("northd.status")).status is Status.OK
        await node.kill("ovn-northd")
        killed = await ask("northd.status")
        await node.start("ovn-northd")
        await ask.until("northd.status", lambda now: now.status is Status.OK)
        await node.stop("ovn-northd")
        ended = await ask("northd.status")
    assert (killed.status, killed.reason) == (Status.FAILED, "gone")
    assert (ended.status, ended.reason) == (Status.SKIPPED, "elsewhere")


@pytest.mark.restored
@pytest.mark.parametrize(
    ("hung_after", "status", "reason"), [(60.0, Status.SLOW, "late"), (0.1, Status.FAILED, "hung")]
)
async def test_stopped_is_late_and_then_hung(
    node: Sandbox, asking: Asking, hung_after: float, status: Status, reason: str
) -> None:
    async with asking(node, timeout=0.2, hung_after=hung_after) as ask:
        await ask("northd.status")
        await node.freeze("ovn-northd")
        said = await ask("northd.status")
    assert (said.status, said.reason) == (status, reason)


async def test_plain_node_lacks_nothing(asking: Asking) -> None:
    async with Sandbox(ovn=False) as plain, asking(plain) as ask:
        for name in ("northd.status", "nb.echo", "nb.storage", "sb.echo", "sb.storage"):
            said = await ask(name)
            assert (said.status, said.reason) == (Status.SKIPPED, "elsewhere"), said.detail
        assert all(ask.node.served[daemon].opened == 0 for daemon in ask.node.served)


@pytest.mark.restored
async def test_database_that_it_lost_is_named_when_that_lasts(node: Sandbox, asking: Asking) -> None:
    async with asking(node, timeout=5.0, broken_after=0.5) as ask:
        assert (await ask("northd.connection")).status is Status.OK
        await node.stop("ovn-nb")
        lost = await ask.until("northd.connection", lambda now: now.status is Status.FAILED)
        await node.start("ovn-nb")
        await ask.until("northd.connection", lambda now: now.status is Status.OK)
    assert (lost.reason, lost.facts["missing"]) == ("northd-not-connected", "the northbound")


async def test_what_nobody_carries_over_is_told_when_it_lasts(node: Sandbox, asking: Asking) -> None:
    """A client that is not an ovn-northd holds its lock, as a connection does whose client is gone."""
    async with asking(node, timeout=5.0, broken_after=0.5) as ask:
        well = await ask("nb.progress")
        server = f"unix:{node.rundir}/ovnsb_db.sock"
        async with program(node, "ovsdb-client", "steal", server, "ovn_northd") as holder:
            assert holder.stdout is not None
            await holder.stdout.readline()
            await ask.until("northd.status", lambda now: now.values.get("active") is False)
            await node.run("ovn-nbctl", "set", "NB_Global", ".", f"nb_cfg={int(well.values['nb_cfg']) + 1}")
            first = await ask("nb.progress")
            behind = await ask.until("nb.progress", lambda now: now.status is Status.FAILED)
        again = await ask.until("nb.progress", lambda now: now.status is Status.OK and not now.values["behind_seconds"])
    assert (well.status, first.status) == (Status.OK, Status.OK), "to be behind for a moment is usual"
    assert (behind.reason, behind.facts) == ("northd-behind", {"standby": "standby"})
    assert again.values["nb_cfg"] == again.values["sb_cfg"]


async def test_chassis_that_holds_up_all_is_named_and_its_end_heals(node: Sandbox, asking: Asking) -> None:
    async with asking(node, timeout=5.0, broken_after=0.2) as ask:
        assert (await ask("nb.chassis")).status is Status.OK
        await leave_chassis(node, "away")
        await count_up(node)
        told = await ask.until("nb.chassis", lambda now: now.status is Status.FAILED)
        await node.run("ovn-sbctl", "chassis-del", "away")
        gone = await ask.until("nb.chassis", lambda now: now.status is Status.OK)
        await node.run("ovn-sbctl", "create", "Chassis_Private", "name=rest")
        left = await ask.until("nb.chassis", lambda now: now.status is Status.FAILED)
    assert (told.reason, told.facts) == ("chassis-behind", {"chassis": "away", "host": "away.example"})
    assert float(told.values["behind_seconds"]) > 2
    assert gone.values["behind_seconds"] == 0
    assert left.facts == {"left": "rest"}


async def test_chassis_of_another_zone_holds_up_nobody(node: Sandbox, asking: Asking) -> None:
    async with asking(node) as ask:
        await leave_chassis(node, "zone")
        await node.run("ovn-sbctl", "set", "Chassis", "zone", "other_config:is-remote=true")
        await count_up(node)
        said = await ask.until("nb.progress", lambda now: now.values.get("hv_cfg") == now.values.get("nb_cfg"))
        assert (await ask("nb.chassis")).status is Status.OK
        southbound = await ask.node.served[SB.daemon].session(20.0)
        assert await laggards(southbound, 0, timeout=20.0) == []
    assert said.status is Status.OK


@pytest.mark.parametrize(
    ("found", "names"),
    [
        ([], {}),
        ([Laggard("a", "one", True, NOW - 900)], {"chassis": "a", "host": "one"}),
        ([Laggard(each, "", True, None) for each in "ab"], {"chassis": "a", "host": "a host without a name"}),
        ([Laggard("a", "", False, None)], {"left": "a"}),
    ],
)
def test_what_lags_is_told_as_far_as_it_is_known(found: list[Laggard], names: dict[str, str]) -> None:
    said = judge_laggards(found, 7, 4, behind=700.0, now=NOW)
    cause = cause_of(Result("nb.chassis", said.status, 0.0, said.reason, facts=said.facts))
    assert cause is not None
    assert (cause.code, said.facts) == ("chassis-behind", names)
    assert all(name in cause.remedy_for(said.facts) for name in names.values())

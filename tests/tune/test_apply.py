"""A plan is written whole or not at all, never over somebody else's change, and can be taken back."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from ovsnet.errors import DeadlineExceeded, UsageError
from ovsnet.io.address import Address
from ovsnet.ovsdb import connect
from ovsnet.ovsdb.errors import NotAllowed
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.apply import Overtaken, apply
from ovsnet.tune.facts import Facts
from ovsnet.tune.plan import plan
from ovsnet.tune.wanted import wanted
from tests.patience import PATIENCE
from tests.tune.conftest import Tuner, Tuning

PAIRS = ("n-revalidator-threads=3", "max-idle=20000", "ovn-remote-probe-interval=60000")


async def get(node: Sandbox, place: str) -> str:
    column, _, key = place.partition(":")
    told = await node.run("ovs-vsctl", "--if-exists", "get", "Open_vSwitch", ".", f"{column}:{key}")
    return told.strip().strip('"')


async def put(node: Sandbox, *pairs: str) -> None:
    await node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", *pairs)


async def tables(tuner: Tuner) -> object:
    return (await tuner.facts()).tables


async def test_revert_restores_exactly_what_was_there_across_sessions(tuning: Tuning) -> None:
    async with Sandbox() as node:
        await node.wait_ready()  # ovn-controller writes other_config:vlan-limit once it runs
        await put(node, "other_config:max-idle=12345", "external_ids:somebody=else")
        rows = {
            "manager_inactivity_probe": "ptcp:0:127.0.0.1",
            "controller_inactivity_probe": "tcp:127.0.0.1:1",
            "nb_inactivity_probe": "ptcp:0:127.0.0.1",
        }
        async with tuning(node) as tuner:
            before = await tables(tuner)
            probes = [f"{name.replace('_', '-')}=60000" for name in rows]
            await tuner.set(*PAIRS, *probes, "northd_probe_interval=30000", **rows)
            assert await get(node, "other_config:max-idle") == "20000"
        async with tuning(node) as tuner:
            reverted = await tuner.revert()
            with suppress(TimeoutError):  # northd copies NB_Global.options to SB_Global in its own time
                async with asyncio.timeout(PATIENCE):
                    while await tables(tuner) != before:  # noqa: ASYNC110 — another process changes it
                        await asyncio.sleep(0.02)
            assert await tables(tuner) == before
            assert not reverted.notes
            assert not await tuner.revert()


async def test_applying_twice_changes_nothing(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set(*PAIRS)
        after = await tables(tuner)
        again = await tuner.plan(*PAIRS)
        assert not again
        assert await apply(again, tuner.sessions) == ()
        assert await tables(tuner) == after


async def test_revert_goes_back_before_the_first_of_several_applies(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        before = await tables(tuner)
        for idle in (20000, 30000, 40000):
            await tuner.set(f"max-idle={idle}")
        await tuner.revert()
        assert await tables(tuner) == before


async def test_value_that_returns_to_the_first_by_itself_needs_no_note(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await put(node, "other_config:max-idle=11000")
        before = await tables(tuner)
        await tuner.set("max-idle=20000")
        await tuner.set("max-idle=11000")
        assert await tables(tuner) == before


async def test_apply_after_somebody_elses_change_remembers_theirs(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await tuner.set("max-idle=20000")
        await put(node, "other_config:max-idle=15000")
        await tuner.set("max-idle=30000")
        await tuner.revert()
        assert await get(node, "other_config:max-idle") == "15000"


async def test_revert_leaves_alone_what_somebody_else_has_changed_since(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        before = await tables(tuner)
        await tuner.set(*PAIRS)
        await put(node, "other_config:max-idle=15000")
        (note,) = (await tuner.revert()).notes
        assert "max-idle is left alone: it is 15000 now, and ovsnet had set 20000" in note
        assert await get(node, "other_config:max-idle") == "15000"
        assert await get(node, "other_config:n-revalidator-threads") == ""
        await tuner.revert(force=True)
        assert await tables(tuner) == before


@pytest.mark.parametrize("there", [(), ("other_config:max-idle=11000",)], ids=["unset", "set"])
@pytest.mark.parametrize("change", ["other_config:max-idle=15000", "other_config:max-idle=20000"])
async def test_change_between_plan_and_apply_stops_it_and_nothing_is_written(
    tuning: Tuning, there: tuple[str, ...], change: str
) -> None:
    """Even when they wrote the very value: the note of what was there would be wrong."""
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        if there:
            await put(node, *there)
        planned = await tuner.plan(*PAIRS)
        await put(node, change)
        before = await tables(tuner)
        with pytest.raises(Overtaken, match="other_config:max-idle after it was read: nothing was written"):
            await apply(planned, tuner.sessions, timeout=PATIENCE)
        assert await tables(tuner) == before


async def test_change_of_another_key_of_the_column_does_not_stop_it(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        planned = await tuner.plan(*PAIRS)
        await put(node, "other_config:flow-limit=100000", "external_ids:somebody=else")
        await apply(planned, tuner.sessions, timeout=PATIENCE)
        assert await get(node, "other_config:flow-limit") == "100000"
        assert await get(node, "other_config:max-idle") == "20000"


async def test_row_that_went_between_plan_and_apply_stops_it(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        await node.run("ovs-vsctl", "--no-wait", "set-manager", "ptcp:0:127.0.0.1")
        planned = await tuner.plan("manager-inactivity-probe=60000", "max-idle=20000")
        await node.run("ovs-vsctl", "--no-wait", "del-manager")
        with pytest.raises(Overtaken, match=r"Manager\.inactivity_probe of ptcp:0:127\.0\.0\.1"):
            await apply(planned, tuner.sessions, timeout=PATIENCE)
        assert await get(node, "other_config:max-idle") == ""


async def test_of_concurrent_applies_exactly_one_wins_and_the_others_say_why(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        plans = [await tuner.plan(f"max-idle={value}", "n-revalidator-threads=2") for value in range(20000, 20010)]

        async def write(number: int) -> int | Overtaken:
            async with tuning(node) as writer:
                try:
                    await apply(plans[number], writer.sessions, timeout=PATIENCE)
                except Overtaken as error:
                    return error
                return number

        ended = await asyncio.gather(*map(write, range(len(plans))))
        (winner,) = (each for each in ended if isinstance(each, int))
        losers = [str(each) for each in ended if isinstance(each, Overtaken)]
        assert await get(node, "other_config:max-idle") == str(20000 + winner)
        assert len(losers) == len(plans) - 1
        assert all("Another client changed Open_vSwitch.other_config:max-idle" in each for each in losers)


async def test_apply_does_not_wait_for_vswitchd(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        planned = await tuner.plan(*PAIRS)
        await node.freeze("ovs-vswitchd")
        await apply(planned, tuner.sessions, timeout=PATIENCE)
        assert await get(node, "other_config:max-idle") == "20000"


async def test_server_that_does_not_answer_is_told_in_time_and_revert_works_later(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        before = await tables(tuner)
        planned = await tuner.plan(*PAIRS)
        await node.freeze("ovsdb-server")
        with pytest.raises(DeadlineExceeded, match="all of it was written, or nothing"):
            await apply(planned, tuner.sessions, timeout=0.2)
        await node.thaw("ovsdb-server")
        await tuner.revert()
        assert await tables(tuner) == before


async def test_read_only_database_refuses_in_a_sentence_and_holds_what_it_held(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        await node.wait_ready()
        path = node.rundir / "ro.sock"
        await node.run(
            "ovn-sbctl", "--", "--id=@new", "create", "Connection", f'target="punix:{path}"', "read_only=true",
            "--", "add", "SB_Global", ".", "connections", "@new",
        )  # fmt: skip
        await node.wait_listening(path.name)
        before = await tables(tuner)
        planned = await tuner.plan("sb-inactivity-probe=30000")
        async with await connect(Address.unix(path)) as session:
            with pytest.raises(NotAllowed, match="refused") as refused:
                await apply(planned, {"OVN_Southbound": session}, timeout=PATIENCE)
        assert refused.value.remedy
        assert await tables(tuner) == before


async def test_knob_that_does_nothing_here_is_refused_unless_forced(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        dead = "nb-options-inactivity-probe=5000"
        with pytest.raises(UsageError, match="nothing in OVN or Open vSwitch reads it"):
            await tuner.plan(dead)
        assert await tuner.plan(dead, force=True)


async def test_row_is_made_only_when_asked_and_goes_again(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        with pytest.raises(UsageError, match="no Manager row") as refused:
            await tuner.plan("manager-inactivity-probe=60000")
        assert "--create manager-inactivity-probe=TARGET" in refused.value.remedy
        await tuner.set("manager-inactivity-probe=60000", manager_inactivity_probe="ptcp:0:127.0.0.1")
        assert "60000" in await node.run("ovs-vsctl", "list", "Manager")
        await tuner.set("manager-inactivity-probe=30000")
        await tuner.revert()
        assert await node.run("ovs-vsctl", "list", "Manager") == ""


async def test_override_of_this_chassis_is_what_is_written(tuning: Tuning) -> None:
    """ovn-controller reads KEY-<system-id> before KEY."""
    async with Sandbox() as node, tuning(node) as tuner:
        await put(node, "external_ids:ovn-remote-probe-interval-sandbox=7000")
        await tuner.set("ovn-remote-probe-interval=60000")
        assert await get(node, "external_ids:ovn-remote-probe-interval-sandbox") == "60000"
        assert await get(node, "external_ids:ovn-remote-probe-interval") == ""


async def test_profile_leaves_out_with_a_reason_what_does_not_fit_this_node(tuning: Tuning) -> None:
    async with Sandbox(ovn=False) as node, tuning(node) as tuner:
        found = plan(await tuner.facts(), wanted(profile="kube-ovn"))
        assert "ovn-remote-probe-interval" in {change.knob for change in found.edits}
        assert any("n-revalidator-threads=4 is left out: this node has" in note for note in found.notes)


async def test_profile_leaves_a_unix_socket_without_a_probe(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        found = plan(await tuner.facts(), wanted(profile="large"))
        assert "ovn-remote-probe-interval" not in {change.knob for change in found.edits}
        assert any("closes by itself and needs no probe" in note for note in found.notes)
        assert "ovn-remote-probe-interval" in {each.knob for each in (await tuner.plan(*PAIRS)).edits}


async def test_example_of_a_target_is_one_that_works(tuning: Tuning) -> None:
    async with Sandbox() as node, tuning(node) as tuner:
        with pytest.raises(UsageError, match="no Connection row") as refused:
            await tuner.plan("sb-inactivity-probe=60000")
        assert "ptcp:6642:" in refused.value.remedy


def test_remedy_of_a_dead_knob_is_to_leave_it_out() -> None:
    facts = Facts({"ovn-controller": (25, 3)}, {("Open_vSwitch", "Open_vSwitch"): ()})
    with pytest.raises(UsageError, match="does not read it") as refused:
        plan(facts, wanted(pairs=["ovn-openflow-probe-interval=60"]))
    assert refused.value.remedy.startswith("Leave it out. A unix socket needs no probe")

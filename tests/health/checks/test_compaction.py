"""A database whose log is not compacted any more, on a real node."""

from __future__ import annotations

import os

import pytest

from ovsnet.errors import PeerError
from ovsnet.health.causes import cause_of
from ovsnet.health.checks.compaction import judge_compaction
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.compaction import Log
from ovsnet.sandbox.node import Sandbox
from tests.faults.storage import NO_ROOM, ROOM, compact, overgrow, resized, small_disk
from tests.health.checks.conftest import Asking

FILE = "/var/lib/ovn/ovnnb_db.db"
NOW = 1_800_000_000.0
PATIENCE = 1800.0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")
async def test_log_that_finds_no_room_is_told_and_room_heals_it(node: Sandbox, asking: Asking) -> None:
    async with (
        small_disk(node, "ovn-nb", "ovn-nb.db", size=NO_ROOM) as disk,
        asking(node, compacted_within=0.5) as ask,
    ):
        assert (await ask("nb.compaction")).status is Status.OK
        await overgrow(node)
        with pytest.raises(PeerError, match="No space left on device"):
            await compact(node)
        told = await ask.until("nb.compaction", lambda now: now.status is Status.FAILED)
        assert (await ask("nb.storage")).status is Status.OK, "changes are still written"
        await resized(disk, ROOM)
        await compact(node)
        again = await ask("nb.compaction")
    assert told.reason == "log-not-compacted"
    assert told.facts["cramped"] == str(disk / "ovn-nb.db")
    assert again.status is Status.OK
    assert int(again.values["size"]) < int(told.values["size"]) / 2


async def test_databases_of_a_new_node_are_well(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        for name in ("ovsdb", "nb", "sb"):
            said = await ask(f"{name}.compaction")
            assert (said.status, said.reason) == (Status.OK, "")
            assert 0 < int(said.values["compacted"]) <= int(said.values["size"])


def judged(due_since: float | None, *, runs_for: float = 1e6, free: int = 1 << 40) -> Result:
    log = Log(FILE, 30_000_000, 5_000_000, free, due_since)
    answer = judge_compaction([log], "nb.ctl", now=NOW, runs_for=runs_for, patience=PATIENCE)
    return Result("nb.compaction", answer.status, 0.0, answer.reason, answer.detail, facts=answer.facts)


def test_server_is_given_the_time_that_it_takes() -> None:
    assert judged(None).status is Status.OK
    assert judged(NOW - PATIENCE).status is Status.OK
    assert judged(NOW - PATIENCE - 1, runs_for=PATIENCE).status is Status.OK, "after a start it takes its time again"
    told = judged(NOW - 7200)
    assert (told.status, told.reason) == (Status.FAILED, "log-not-compacted")
    assert "120 minutes" in told.detail


def test_remedy_names_what_is_in_its_way() -> None:
    cause = cause_of(judged(NOW - 7200))
    assert cause is not None
    assert cause.remedy_for(judged(NOW - 7200, free=4_000_000).facts).count("3.8 MiB left") == 1
    assert cause.command_for(judged(NOW - 7200).facts) == "ovs-appctl -t nb.ctl ovsdb-server/compact"
    assert cause.command_for({}) == ""


def test_what_cannot_be_seen_is_no_fault() -> None:
    assert judge_compaction([], "nb.ctl", now=NOW, runs_for=1e6, patience=PATIENCE).reason == "not-used"

"""A daemon near the memory limit of its cgroup, and one that was killed for it."""

from __future__ import annotations

import sys

import pytest
from msgspec.structs import replace

from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of
from ovsnet.health.checks import host
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.memory import Memory
from ovsnet.sandbox.node import Sandbox
from tests.faults.limits import EATS, cgroups, limited_memory
from tests.faults.programs import program
from tests.health.checks.conftest import Asking

MIB = 1 << 20
ROOM = Memory("/sys/fs/cgroup/ovs", "/sys/fs/cgroup/ovs/memory.max", 100 * MIB, 400 * MIB, 2)


def remedy(result: Result) -> str:
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, cause.state) == ("memory-short", State.DEGRADED)
    return cause.remedy_for(result.facts)


@pytest.mark.skipif(not cgroups(), reason="no cgroup can be made here")
async def test_daemon_whose_group_is_full_is_told_until_there_is_room(node: Sandbox, asking: Asking) -> None:
    pid = node.pid("ovs-vswitchd")
    async with asking(node) as ask:
        await ask("vswitchd.ofproto")
        with limited_memory(pid, 128 * MIB) as group:
            async with program(node, sys.executable, "-c", EATS, str(group), str(0.93 * 128 * MIB)) as eater:
                assert eater.stdout is not None
                await eater.stdout.readline()
                result = await ask("host.memory")
            room = await ask.until("host.memory", lambda now: now.status is Status.OK)
        without = await ask("host.memory")
    assert f"ovs-vswitchd (process {pid}) and its cgroup {group} use 1" in result.detail
    assert f"Raise {group}/memory.limit_in_bytes from 128 MiB" in remedy(result)
    assert room.detail.startswith("No daemon uses more than ")
    assert without.status is not Status.FAILED


async def test_kill_that_was_seen_to_happen_names_their_number(
    shared_node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = [ROOM]
    monkeypatch.setattr(host, "memories", lambda pids: dict.fromkeys(pids, seen[0]))
    async with asking(shared_node) as ask:
        before = await ask("host.memory")
        seen[0] = replace(ROOM, kills=3)
        result = await ask("host.memory")
    assert (before.status, before.detail) == (Status.OK, "No daemon uses more than 25% of its memory limit.")
    assert "killed in the cgroup of ovsdb-server" in result.detail
    assert "killed 3 times there: raise /sys/fs/cgroup/ovs/memory.max from 400 MiB" in remedy(result)


async def test_kill_without_a_limit_is_the_hosts_and_that_of_another_container_nobodys(
    shared_node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    without = replace(ROOM, setting="", limit=0, kills=0, pod_kills=0)
    seen = [without]
    monkeypatch.setattr(host, "memories", lambda pids: dict.fromkeys(pids, seen[0]))
    async with asking(shared_node) as ask:
        await ask("host.memory")
        seen[0] = replace(without, pod_kills=1)
        assert (await ask("host.memory")).reason == "not-used"
        seen[0] = replace(without, kills=1, pod_kills=2)
        result = await ask("host.memory")
    assert "in the cgroup of ovsdb-server for lack of memory (1 times); it has no limit of its own." in result.detail
    assert "the host itself ran out of memory" in remedy(result)


async def test_daemons_without_a_limit_are_not_judged(
    shared_node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host, "memories", dict.fromkeys)
    async with asking(shared_node) as ask:
        assert (await ask("host.memory")).reason == "not-used"

"""Daemons that start again and again: the decision, and a real switch."""

from __future__ import annotations

import pytest

from ovsnet.health.cause import State
from ovsnet.health.causes import cause_of
from ovsnet.health.checks.restarts import judge_restarts
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.components import COMPONENTS
from ovsnet.node.restarts import Crashes
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking


@pytest.mark.parametrize(
    ("seen", "crashes", "status", "words"),
    [
        (0, None, Status.OK, "has not restarted recently"),
        (2, Crashes(2, "killed", 60.0), Status.OK, "2 times recently"),
        (3, None, Status.FAILED, "has started again 3 times within 900 s"),
        (0, Crashes(3, "killed (Aborted)", 60.0), Status.FAILED, "has crashed 3 times under its monitor"),
        (0, Crashes(3, "killed (Aborted)", 90 * 86400.0), Status.OK, "has not restarted recently"),
        (0, Crashes(13, "killed (Aborted)", 3600.0), Status.FAILED, "has crashed 13 times under its monitor"),
        (7, Crashes(3, "killed (Aborted)", 60.0), Status.FAILED, "7 times within"),
    ],
)
def test_third_restart_is_told(seen: int, crashes: Crashes | None, status: Status, words: str) -> None:
    answer = judge_restarts("ovs-vswitchd", seen, crashes, most=3, within=900.0)
    assert answer.status is status
    assert words in answer.detail


@pytest.mark.parametrize(
    ("daemon", "code"),
    [(each.daemon, each.name) for each in COMPONENTS.values() if not each.remote],
)
def test_remedy_follows_the_monitor(daemon: str, code: str) -> None:
    answer = judge_restarts(daemon, 0, Crashes(3, "killed (Aborted), core dumped", 60.0), most=3, within=900.0)
    result = Result("a.check", answer.status, 0.0, answer.reason, facts=answer.facts, daemon=daemon)
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, cause.state) == (f"{code}-restarting", State.DEGRADED)
    assert "It dies of: killed (Aborted), core dumped." in cause.remedy_for(result.facts)


@pytest.mark.parametrize(
    ("daemon", "name", "answers", "code"),
    [
        ("ovs-vswitchd", "vswitchd", "vswitchd.ofproto", "vswitchd-restarting"),
        ("ovn-nb", "nb", "nb.echo", "nb-restarting"),
        ("ovn-sb", "sb", "sb.echo", "sb-restarting"),
        ("ovn-northd", "northd", "northd.status", "northd-restarting"),
    ],
)
async def test_restarts_of_a_real_daemon_are_counted_and_forgotten(
    node: Sandbox, asking: Asking, daemon: str, name: str, answers: str, code: str
) -> None:
    async with asking(node) as ask:
        await ask(answers)
        assert (await ask(f"{name}.restarts")).values == {"restarts": 0}
        for _ in range(3):
            await node.kill(daemon)
            await node.start(daemon)
            await ask.until(answers, lambda now: now.status is Status.OK)
        result = await ask(f"{name}.restarts")
        later = ask.node.clock() + ask.node.settings.restarts_within
        ask.node.clock = lambda: later
        assert (await ask(f"{name}.restarts")).status is Status.OK
    assert (result.status, result.reason, result.values) == (Status.FAILED, "restarting", {"restarts": 3})
    cause = cause_of(result)
    assert cause is not None
    assert (cause.code, cause.state) == (code, State.DEGRADED)


@pytest.mark.restored
async def test_central_daemon_of_another_host_is_none_to_count(node: Sandbox, asking: Asking) -> None:
    async with asking(node) as ask:
        assert (await ask("northd.restarts")).values == {"restarts": 0}
        await node.stop("ovn-northd")
        assert (await ask("northd.restarts")).reason == "elsewhere"


@pytest.mark.restored
async def test_daemon_that_was_never_seen_is_none_to_count(node: Sandbox, asking: Asking) -> None:
    await node.stop("ovs-vswitchd")
    async with asking(node) as ask:
        assert (await ask("vswitchd.restarts")).reason == "not-used"


@pytest.mark.parametrize("name", ["ovsdb", "vswitchd", "controller", "nb", "sb", "northd"])
async def test_monitor_is_asked_before_any_connection_stands(shared_node: Sandbox, asking: Asking, name: str) -> None:
    """One-shot ``check`` asks all at once, and called a switch that crashed all the time healthy."""
    async with asking(shared_node) as ask:
        assert (await ask(f"{name}.restarts")).values == {"restarts": 0}


@pytest.mark.parametrize(("apart", "status"), [(1800.0, Status.FAILED), (3 * 3600.0, Status.OK)])
async def test_slow_loop_is_told(shared_node: Sandbox, asking: Asking, apart: float, status: Status) -> None:
    """Of a switch that leaks, and is killed each half an hour."""
    async with asking(shared_node) as ask:
        await ask("vswitchd.ofproto")
        daemon = ask.node.daemons["ovs-vswitchd"]
        now = ask.node.clock()
        for number in reversed(range(10)):
            daemon.starts.saw(1e9 - number, now - apart / 2 - number * apart)
        result = await ask("vswitchd.restarts")
    assert result.status is status
    if status is Status.FAILED:
        assert result.detail == "ovs-vswitchd has started again 10 times within a day."

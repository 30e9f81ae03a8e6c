"""What a check says when nobody answers at the socket: the process decides."""

from __future__ import annotations

import pytest

from ovsnet.errors import ConnectionLost, ConnectionRefused, OvsnetError, SocketMissing
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.handover import BETWEEN_LOOKS, ENDS_WITHIN, HAS_SOCKETS_AFTER
from ovsnet.health.checks.result import Status, ok
from ovsnet.node.presence import Presence, Sighting
from ovsnet.node.silence import Verdict
from tests.health.checks.asked import Daemon, node, probing

NO_ANSWER = [SocketMissing("Nobody."), ConnectionRefused("Nobody."), ConnectionLost("Nobody.")]
"""What a socket shows when nobody answers there."""


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: error.reason)
async def test_process_that_ended_is_gone_whatever_its_socket_shows(error: OvsnetError) -> None:
    daemon = Daemon(presence=Presence.GONE, ended_at=3.5, late=True)
    result = await run(probing(error), node(daemon), {})
    assert (result.status, result.reason, result.lost_at) == (Status.FAILED, "gone", 3.5)
    assert result.detail == "ovs-vswitchd is not running: process 1 has ended. Nobody."
    assert daemon.notes == ["sought"]


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: error.reason)
async def test_socket_without_its_running_daemon_is_a_fact_about_the_socket(error: OvsnetError) -> None:
    result = await run(probing(error), node(Daemon()), {})
    assert (result.status, result.reason, result.lost_at) == (Status.FAILED, error.reason, None)
    assert result.detail == "Nobody. ovs-vswitchd runs: process 1 runs."
    assert result.facts == {"pid": "1"}


async def test_daemon_whose_sockets_went_a_moment_before_it_is_gone() -> None:
    error = SocketMissing("Nobody.")
    result = await run(probing(error), node(Daemon(ending=True)), {})
    assert (result.status, result.reason) == (Status.FAILED, Verdict.GONE)


@pytest.mark.parametrize(("pidfile", "reason"), [(True, "socket-missing"), (False, Verdict.GONE)])
async def test_daemon_that_removed_its_pidfile_as_well_is_waited_for_longer(pidfile: bool, reason: str) -> None:
    """On a busy host a daemon runs on for a while after it removed its files to end."""
    looks = round(2 * ENDS_WITHIN / BETWEEN_LOOKS)
    daemon = Daemon(ending=True, looks_left=looks, pidfile=pidfile)
    result = await run(probing(SocketMissing("Nobody.")), node(daemon), {})
    assert (result.status, result.reason) == (Status.FAILED, reason)


async def test_daemon_is_waited_for_no_longer_than_until_a_connection_to_the_next_one_stands() -> None:
    daemon = Daemon(met_after=3)
    result = await run(probing(SocketMissing("Nobody."), ok("It answers.")), node(daemon), {})
    assert (result.status, daemon.looks) == (Status.OK, 3)


async def test_daemon_that_outlived_its_names_is_not_waited_for_again() -> None:
    daemon, error = Daemon(), SocketMissing("Nobody.")
    assert (await run(probing(error), node(daemon), {})).reason == error.reason
    assert daemon.nameless == 1
    assert (await run(probing(error), node(daemon), {})).reason == error.reason


async def test_each_process_that_follows_is_waited_for_once_though_none_was_met() -> None:
    """ovn-controller that is killed and started again and again: the second has not made its socket yet."""
    daemon, error = Daemon(), SocketMissing("Nobody.")
    assert (await run(probing(error), node(daemon), {})).reason == error.reason
    daemon.sighting = Sighting(Presence.RUNS, 2, "process 2 runs")
    assert (await run(probing(error, ok("It answers.")), node(daemon), {})).status is Status.OK
    assert daemon.nameless == 2


@pytest.mark.parametrize("pid", [1, None])
async def test_daemon_that_started_just_now_is_waited_for_until_it_has_had_time_to_make_its_socket(
    pid: int | None,
) -> None:
    """Its process may be in another pid namespace, and hold the pidfile."""
    error = SocketMissing("Nobody.")
    daemon = Daemon()
    daemon.sighting = Sighting(Presence.RUNS, pid, "it runs")
    daemon.seconds = HAS_SOCKETS_AFTER - 1.0
    assert (await run(probing(error, error, error, ok("It answers.")), node(daemon), {})).status is Status.OK
    daemon.seconds = HAS_SOCKETS_AFTER + 1.0
    assert (await run(probing(error), node(daemon), {})).reason == error.reason


async def test_daemon_that_another_follows_at_once_was_never_missing() -> None:
    assert (await run(probing(SocketMissing("Nobody."), ok("It answers.")), node(Daemon()), {})).status is Status.OK


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: error.reason)
async def test_daemon_of_which_nothing_can_be_seen_is_not_visible(error: OvsnetError) -> None:
    result = await run(probing(error), node(Daemon(presence=Presence.UNSEEN, late=True)), {})
    assert (result.status, result.reason) == (Status.FAILED, "not-visible")
    assert result.detail == "Nobody. Of ovs-vswitchd, nothing of it can be seen from here."
    assert result.facts == {"directory": "/run/openvswitch"}


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: error.reason)
@pytest.mark.parametrize(("verdict", "status"), [(Verdict.HUNG, Status.FAILED), (Verdict.LATE, Status.SLOW)])
async def test_missing_socket_does_not_end_the_silence_on_another(
    error: OvsnetError, verdict: Verdict, status: Status
) -> None:
    daemon = Daemon(verdict, late=True)
    result = await run(probing(error), node(daemon), {})
    assert (result.status, result.reason) == (status, verdict.value)
    assert daemon.notes == ["sought", "looked 3 0.25"]


@pytest.mark.parametrize("error", NO_ANSWER, ids=lambda error: error.reason)
async def test_of_a_daemon_on_another_host_the_error_is_all_there_is(error: OvsnetError) -> None:
    """Nothing is known of the name of a socket there, nor of a process."""
    distant = Daemon(presence=Presence.UNSEEN, distant=True, late=True)
    result = await run(probing(error), node(distant), {})
    reason = "closed" if isinstance(error, ConnectionLost) else "unreachable"
    assert (result.status, result.reason, result.detail) == (Status.FAILED, reason, "Nobody.")

"""How a check runs: whatever its probe does becomes a Result."""

from __future__ import annotations

import os
from collections import Counter
from types import SimpleNamespace
from typing import cast

import pytest
from msgspec.structs import replace

from ovsnet.errors import (
    BacklogFull,
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    NameUnresolved,
    OvsnetError,
    PermissionDenied,
    ProtocolError,
    SocketMissing,
    TlsFailed,
    UnixctlRefused,
)
from ovsnet.health.checks.asking import HAS_SOCKETS_AFTER, look_again, run
from ovsnet.health.checks.declaration import Check
from ovsnet.health.checks.result import Answer, Result, Status, failed, not_used, ok
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from ovsnet.node.presence import Presence, Sighting
from ovsnet.node.silence import Finding, Verdict

NOW = 7.0


SEEN = {
    Presence.RUNS: Sighting(Presence.RUNS, 1, "process 1 runs"),
    Presence.GONE: Sighting(Presence.GONE, None, "process 1 has ended"),
    Presence.UNSEEN: Sighting(Presence.UNSEEN, None, "nothing of it can be seen from here"),
}


class Daemon:
    """Notes what it is asked, and explains every silence by ``verdict``. ``late`` is whether a silence goes on."""

    def __init__(
        self,
        verdict: Verdict = Verdict.LATE,
        *,
        presence: Presence = Presence.RUNS,
        late: bool = False,
        distant: bool = False,
        ended_at: float | None = None,
        ending: bool = False,
    ) -> None:
        self.verdict = verdict
        self.sighting = SEEN[presence]
        self.late = late
        self.distant = distant
        self.stranger: int | None = None
        self.pid = 1
        self.ended_at = ended_at
        self.nameless: int | None = None
        self.seconds: float | None = 3600.0
        self.ending = ending
        self.notes: list[str] = []

    async def sight(self) -> Sighting:
        self.notes.append("sought")
        return self.sighting

    def process(self) -> object:
        """There is one to look at."""
        return self

    def has_ended(self, pid: int) -> bool:
        return self.ending

    def age(self, pid: int | None) -> float | None:
        return self.seconds

    def forget_sighting(self) -> None:
        if self.ending:
            self.sighting = SEEN[Presence.GONE]

    def refused(self) -> bool:
        """Whether it was heard since it turned us away before."""
        return False

    def look(self, hung_after: float, own_lag: float) -> Finding:
        self.notes.append(f"looked {hung_after:g} {own_lag:g}")
        return Finding(self.verdict, "process 1 sleeps", {"silent_seconds": 2.5})

    def out_of_descriptors(self) -> None:
        """It has some left."""

    damaged_database = out_of_descriptors


def node(daemon: Daemon) -> Node:
    refusals: Counter[str] = Counter()
    fake = SimpleNamespace(
        daemons={"ovs-vswitchd": daemon},
        settings=SimpleNamespace(hung_after=3.0, switch="on"),
        own_lag=0.25,
        clock=lambda: NOW,
        backlog_refusals=refusals,
        sight=lambda name: daemon.sight(),
        rundir=SimpleNamespace(is_blank=lambda: False),
        peer_asked=lambda name, socket: daemon.stranger,
    )
    return cast("Node", fake)


def probing(*outcomes: Answer | OvsnetError, needs: tuple[str, ...] = ()) -> Check:
    """A check whose probe has these outcomes, one after the other, and then the last one each time."""
    left = list(outcomes)

    async def probe(node: Node) -> Answer:
        outcome = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(outcome, OvsnetError):
            raise outcome
        return outcome

    return Check("x.y", "It holds.", probe, "ovs-vswitchd", Socket.CONTROL, needs, 1.0, 0.0)


async def test_answer_becomes_a_result_with_name_and_time() -> None:
    daemon = Daemon()
    result = await run(probing(ok("It holds.", rtt_seconds=0.1, count=3)), node(daemon), {})
    assert result == Result(
        "x.y", Status.OK, NOW, "", "It holds.", 0.1, {"count": 3}, {}, "ovs-vswitchd", Socket.CONTROL, asked_at=NOW
    )
    assert daemon.notes == []


async def test_answer_that_says_no_is_a_failure_of_a_living_daemon() -> None:
    daemon = Daemon()
    result = await run(probing(failed("bad", "It does not hold.", facts={"pid": "7"}, count=0)), node(daemon), {})
    assert (result.status, result.reason, result.detail) == (Status.FAILED, "bad", "It does not hold.")
    assert (result.values, result.facts) == ({"count": 0}, {"pid": "7"})
    assert daemon.notes == []


@pytest.mark.parametrize(
    "error",
    [PermissionDenied("No."), ProtocolError("No."), UnixctlRefused("No."), TlsFailed("No."), NameUnresolved("No.")],
    ids=lambda error: error.reason,
)
async def test_error_of_the_tree_is_a_failure_with_its_reason_sentence_and_remedy(error: OvsnetError) -> None:
    daemon = Daemon()
    result = await run(probing(error), node(daemon), {})
    assert (result.status, result.reason, result.detail) == (Status.FAILED, error.reason, "No.")
    assert result.facts == ({"advice": error.remedy} if error.remedy else {})
    assert daemon.notes == [], "it says nothing about the process"


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


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.GONE, Status.FAILED),
        (Verdict.HUNG, Status.FAILED),
        (Verdict.UNSEEN, Status.UNKNOWN),
        (Verdict.BUSY, Status.SLOW),
        (Verdict.STARVED, Status.SLOW),
        (Verdict.LATE, Status.SLOW),
    ],
)
async def test_silence_is_what_the_look_at_the_process_says(verdict: Verdict, status: Status) -> None:
    daemon = Daemon(verdict)
    result = await run(probing(DeadlineExceeded("Late.", remedy="Wait.")), node(daemon), {})
    assert (result.status, result.reason) == (status, verdict.value)
    assert "2.5 s" in result.detail
    assert "process 1 sleeps" in result.detail
    assert result.values == {"silent_seconds": 2.5}
    assert daemon.notes == ["looked 3 0.25"]


async def test_silence_of_another_program_at_its_socket_says_nothing_of_the_daemon() -> None:
    daemon = Daemon(Verdict.HUNG)
    daemon.stranger = os.getpid()
    result = await run(probing(DeadlineExceeded("x")), node(daemon), {})
    assert (result.status, result.reason) == (Status.FAILED, "protocol")
    assert result.detail.startswith(f"Process {os.getpid()} (")
    assert result.detail.endswith("took our connection and says nothing; ovs-vswitchd is process 1.")


@pytest.mark.parametrize("verdict", [Verdict.BUSY, Verdict.STARVED, Verdict.UNSEEN])
async def test_full_backlog_of_a_living_daemon_is_its_own_failure(verdict: Verdict) -> None:
    asked = node(Daemon(verdict))
    result = await run(probing(BacklogFull("Full.")), asked, {})
    assert (result.status, result.reason, result.detail) == (Status.FAILED, "backlog-full", "Full.")
    assert asked.backlog_refusals == {"ovs-vswitchd": 1}


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(Verdict.HUNG, Status.FAILED), (Verdict.GONE, Status.FAILED), (Verdict.LATE, Status.SLOW)],
)
async def test_full_backlog_of_a_daemon_that_stands_still_is_a_symptom(verdict: Verdict, status: Status) -> None:
    result = await run(probing(BacklogFull("Full.")), node(Daemon(verdict)), {})
    assert (result.status, result.reason) == (status, verdict.value)


async def test_connection_that_broke_under_the_question_is_asked_anew() -> None:
    result = await run(probing(ConnectionLost("Cut."), ok("It holds.")), node(Daemon()), {})
    assert result.status is Status.OK


async def test_connection_that_a_daemon_never_took_before_it_ended_says_as_little() -> None:
    cut, reset = ConnectionLost("Cut."), ConnectionLost("Connection reset by peer.")
    result = await run(probing(cut, reset, ok("Another one serves.")), node(Daemon()), {})
    assert result.status is Status.OK


@pytest.mark.parametrize("late", [False, True])
async def test_look_again_judges_a_silence_that_goes_on_and_asks_nobody(late: bool) -> None:
    daemon = Daemon(Verdict.HUNG, late=late)
    again = look_again(probing(), node(daemon))
    assert (again.reason if again else None) == ("hung" if late else None)
    assert daemon.notes == (["looked 3 0.25"] if late else [])


def need_of(socket: Socket, reason: str) -> Result:
    return Result("n.n", Status.FAILED, 1.0, reason, socket=socket)


@pytest.mark.parametrize(
    ("need", "asking", "status"),
    [
        (need_of(Socket.CONTROL, "socket-missing"), Socket.MGMT, Status.OK),
        (need_of(Socket.CONTROL, "refused"), Socket.NONE, Status.OK),
        (need_of(Socket.CONTROL, "socket-missing"), Socket.CONTROL, Status.SKIPPED),
        (need_of(Socket.CONTROL, "gone"), Socket.MGMT, Status.SKIPPED),
        (need_of(Socket.CONTROL, "not-visible"), Socket.MGMT, Status.SKIPPED),
        (need_of(Socket.MGMT, "socket-missing"), Socket.CONTROL, Status.SKIPPED),
        (need_of(Socket.DATABASE, "socket-missing"), Socket.MGMT, Status.SKIPPED),
    ],
)
async def test_control_socket_without_a_name_blocks_only_what_is_asked_over_it(
    need: Result, asking: Socket, status: Status
) -> None:
    asked = replace(probing(ok(""), needs=("n.n",)), socket=asking)
    assert (await run(asked, node(Daemon()), {"n.n": need})).status is status


@pytest.mark.parametrize("status", [Status.FAILED, Status.UNKNOWN, Status.SKIPPED])
async def test_need_that_does_not_pass_skips_the_question(status: Status) -> None:
    need = Result("n.n", status, 1.0, "why")
    daemon = Daemon()
    result = await run(probing(needs=("n.n",)), node(daemon), {"n.n": need})
    assert (result.status, result.reason) == (Status.SKIPPED, "precondition")
    assert "n.n" in result.detail
    assert daemon.notes == []


@pytest.mark.parametrize("status", [Status.OK, Status.SLOW])
async def test_need_that_passes_lets_the_question_through(status: Status) -> None:
    result = await run(probing(ok(""), needs=("n.n",)), node(Daemon()), {"n.n": Result("n.n", status, 1.0)})
    assert result.status is Status.OK


async def test_what_builds_on_something_not_used_is_not_used_either() -> None:
    absent = not_used("No OVN here.")
    need = Result("n.n", absent.status, 1.0, absent.reason, absent.detail)
    result = await run(probing(needs=("n.n",)), node(Daemon()), {"n.n": need})
    assert (result.status, result.reason, result.detail) == (Status.SKIPPED, "not-used", "No OVN here.")

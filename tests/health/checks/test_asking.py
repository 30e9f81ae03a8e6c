"""How a check runs: whatever its probe does becomes a Result."""

from __future__ import annotations

import asyncio
import os

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
    TlsFailed,
    UnixctlRefused,
)
from ovsnet.health.checks.asking import look_again, run
from ovsnet.health.checks.result import Answer, Result, Status, failed, not_used, ok
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from ovsnet.node.silence import Verdict
from tests.health.checks.asked import NOW, Daemon, node, probing


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


async def test_link_that_pauses_after_a_session_that_broke_too_soon_is_not_the_last_word() -> None:
    """In its pause it repeats why that session broke."""
    daemon = Daemon()
    daemon.pause, began = 0.5, asyncio.get_running_loop().time()

    async def probe(_: Node) -> Answer:
        if asyncio.get_running_loop().time() - began < daemon.pause:
            raise ConnectionLost("Cut.")
        raise ConnectionRefused("Nobody.")

    result = await run(replace(probing(), probe=probe), node(daemon), {})
    assert (result.status, result.reason) == (Status.FAILED, "refused")


@pytest.mark.parametrize("late", [False, True])
async def test_look_again_judges_a_silence_that_goes_on_and_asks_nobody(late: bool) -> None:
    daemon = Daemon(Verdict.HUNG, late=late)
    again = look_again(probing(), node(daemon))
    assert (again.reason if again else None) == ("hung" if late else None)
    assert daemon.notes == (["looked 3 0.25"] if late else [])


@pytest.mark.parametrize(("verdict", "reason"), [(Verdict.UNSEEN, None), (Verdict.HUNG, "hung")])
async def test_look_again_leaves_a_full_backlog_to_the_next_question_where_no_process_is_seen(
    verdict: Verdict, reason: str | None
) -> None:
    daemon = Daemon(verdict, late=True)
    daemon.turned_away = True
    again = look_again(probing(), node(daemon))
    assert (again.reason if again else None) == reason


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

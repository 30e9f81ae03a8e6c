"""How a check runs: whatever its probe does becomes a Result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest

from ovsnet.errors import (
    BacklogFull,
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    OvsnetError,
    PermissionDenied,
    ProtocolError,
    UnixctlRefused,
)
from ovsnet.health.checks.declaration import CHECKS, Check, check, run
from ovsnet.health.checks.result import Answer, Result, Status, failed, not_used, ok
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from ovsnet.node.silence import Finding, Verdict

NOW = 7.0


class Daemon:
    """Notes what it is told, and explains every silence by ``verdict``."""

    def __init__(self, verdict: Verdict = Verdict.LATE, *, ended: bool = False) -> None:
        self.verdict = verdict
        self.ended = ended
        self.notes: list[str] = []

    def gone(self) -> None:
        self.notes.append("gone")

    def look(self, hung_after: float, own_lag: float) -> Finding:
        self.notes.append(f"looked {hung_after:g} {own_lag:g}")
        return Finding(self.verdict, "process 1 sleeps", {"silent_seconds": 2.5})


def node(daemon: Daemon) -> Node:
    settings = SimpleNamespace(hung_after=3.0)
    refusals: Counter[str] = Counter()
    fake = SimpleNamespace(
        daemons={"ovs-vswitchd": daemon}, settings=settings, own_lag=0.25, clock=lambda: NOW, backlog_refusals=refusals
    )
    return cast("Node", fake)


def probing(*outcomes: Answer | OvsnetError, needs: tuple[str, ...] = ()) -> Check:
    """A check whose probe has these outcomes, one after the other."""
    left = list(outcomes)

    async def probe(node: Node) -> Answer:
        outcome = left.pop(0)
        if isinstance(outcome, OvsnetError):
            raise outcome
        return outcome

    return Check("x.y", "It holds.", probe, "ovs-vswitchd", Socket.CONTROL, needs, 1.0, 0.0)


async def test_answer_becomes_a_result_with_name_and_time() -> None:
    daemon = Daemon()
    result = await run(probing(ok("It holds.", rtt_seconds=0.1, count=3)), node(daemon), {})
    assert result == Result(
        "x.y", Status.OK, NOW, "", "It holds.", 0.1, {"count": 3}, {}, "ovs-vswitchd", Socket.CONTROL
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
    [ConnectionRefused("No."), PermissionDenied("No."), ProtocolError("No."), UnixctlRefused("No.")],
    ids=lambda error: error.reason,
)
async def test_error_of_the_tree_is_a_failure_with_its_reason_sentence_and_remedy(error: OvsnetError) -> None:
    daemon = Daemon()
    result = await run(probing(error), node(daemon), {})
    assert (result.status, result.reason, result.detail) == (Status.FAILED, error.reason, "No.")
    assert result.facts == ({"advice": error.remedy} if error.remedy else {})
    assert daemon.notes == ["gone"]


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


@pytest.mark.parametrize("verdict", [Verdict.LATE, Verdict.BUSY, Verdict.UNSEEN])
async def test_full_backlog_of_a_living_daemon_is_its_own_failure(verdict: Verdict) -> None:
    asked = node(Daemon(verdict))
    result = await run(probing(BacklogFull("Full.")), asked, {})
    assert (result.status, result.reason, result.detail) == (Status.FAILED, "backlog-full", "Full.")
    assert asked.backlog_refusals == {"ovs-vswitchd": 1}


@pytest.mark.parametrize("verdict", [Verdict.HUNG, Verdict.GONE])
async def test_full_backlog_of_a_dead_daemon_is_a_symptom(verdict: Verdict) -> None:
    result = await run(probing(BacklogFull("Full.")), node(Daemon(verdict)), {})
    assert (result.status, result.reason) == (Status.FAILED, verdict.value)


async def test_connection_that_broke_under_the_question_is_asked_anew() -> None:
    result = await run(probing(ConnectionLost("Cut."), ok("It holds.")), node(Daemon()), {})
    assert result.status is Status.OK


async def test_connection_that_breaks_twice_is_a_failure() -> None:
    result = await run(probing(ConnectionLost("Cut."), ConnectionLost("Cut.")), node(Daemon()), {})
    assert (result.status, result.reason) == (Status.FAILED, "closed")


async def test_connection_that_breaks_because_its_process_ends_is_proof() -> None:
    lost = (ConnectionLost("Cut."), ConnectionLost("Cut again."))
    result = await run(probing(*lost), node(Daemon(ended=True)), {})
    assert (result.status, result.reason) == (Status.FAILED, "gone")
    assert result.detail == "The process of ovs-vswitchd has ended: Cut again."


async def test_refusal_is_told_as_what_it_is_whatever_became_of_the_process() -> None:
    result = await run(probing(ConnectionRefused("Nobody.")), node(Daemon(ended=True)), {})
    assert (result.status, result.reason) == (Status.FAILED, "refused")


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


@pytest.fixture
def registry() -> Iterator[dict[str, Check]]:
    """The registry, restored afterwards."""
    before = dict(CHECKS)
    yield CHECKS
    CHECKS.clear()
    CHECKS.update(before)


def test_declaring_puts_a_check_behind_those_it_needs(registry: dict[str, Check]) -> None:
    @check("new.fact", daemon="ovsdb-server", needs=("ovsdb.echo",), every=5.0, phase=0.25)
    async def fact(node: Node) -> Answer:
        """The fact holds.

        What stands here is for the reader of the code.
        """
        return ok("")

    made = registry["new.fact"]
    assert list(registry)[-1] == "new.fact"
    assert (made.question, made.component, made.daemon) == ("The fact holds.", "new", "ovsdb-server")
    assert (made.needs, made.every, made.phase, made.probe) == (("ovsdb.echo",), 5.0, 0.25, fact)


@pytest.mark.parametrize(("name", "needs"), [("ovsdb.echo", ()), ("new.fact", ("later.fact",))])
def test_name_taken_or_need_unknown_is_a_mistake_of_the_code(
    registry: dict[str, Check], name: str, needs: tuple[str, ...]
) -> None:
    declare = check(name, daemon="ovsdb-server", needs=needs)
    with pytest.raises(AssertionError):
        declare(probing().probe)


@pytest.mark.parametrize("each", CHECKS.values(), ids=lambda each: each.name)
def test_each_check_asks_a_question_in_a_sentence_and_is_component_dot_fact(each: Check) -> None:
    component, dot, fact = each.name.partition(".")
    assert component == each.component
    assert dot
    assert fact
    assert each.question.endswith(".")
    assert each.every > 0
    assert 0 <= each.phase < 1

"""Requests that wait for their answers, on both event loops: their polls and clocks differ."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import pytest
import uvloop

from ovsnet.errors import ConnectionLost, DeadlineExceeded, OvsdbError
from ovsnet.io.pending import PendingRequests, after_next_poll
from tests.patience import PATIENCE

Body: TypeAlias = Callable[[], Awaitable[None]]
Run: TypeAlias = Callable[[Body], None]


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run the body of a test on one of the loops."""

    def run_body(body: Body) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop if request.param == "uvloop" else None) as runner:
            runner.run(_as_coroutine(body))

    return run_body


async def _as_coroutine(body: Body) -> None:
    await body()


class Answers(asyncio.Protocol):
    """Each byte that arrives is the key of a call that it answers."""

    def __init__(self, pending: PendingRequests[str]) -> None:
        self.pending = pending

    def data_received(self, data: bytes) -> None:
        for key in data:
            self.pending.answer(key, "answered")


def block_until(moment: float) -> None:
    """Hold up the loop, as a long computation does. Busy, because sleeping is not for async code."""
    while time.monotonic() < moment:
        pass


def test_forgotten_call_is_waited_for_no_more(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        answer = pending.open(1, 10)
        pending.forget(1)
        pending.forget(1)
        assert len(pending) == 0
        assert not pending.answer(1, "late")
        assert not answer.done()

    run(body)


def test_answers_find_their_calls(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        one, two = pending.open(1, 10), pending.open(2, 10)
        assert len(pending) == 2
        assert pending.answer(2, "two")
        assert pending.answer(1, "one")
        assert (await one, await two) == ("one", "two")
        assert len(pending) == 0

    run(body)


def test_answer_that_nobody_waits_for(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        assert not pending.answer(1, "late")
        assert not pending.refuse(1, OvsdbError("no"))

    run(body)


def test_refused_call_fails_alone(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        one, two = pending.open(1, 10), pending.open(2, 10)
        assert pending.refuse(1, OvsdbError("no"))
        with pytest.raises(OvsdbError, match="no"):
            await one
        assert not two.done()

    run(body)


def test_lost_connection_fails_all(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        futures = [pending.open(key, 10) for key in range(3)]
        pending.fail_all(ConnectionLost("gone"))
        assert all(isinstance(future.exception(), ConnectionLost) for future in futures)
        assert len(pending) == 0
        pending.fail_all(ConnectionLost("gone"))

    run(body)


def test_deadline_names_the_peer_and_the_time(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("unix:/run/x")
        with pytest.raises(DeadlineExceeded, match=r"unix:/run/x gave no answer within 0\.01 s"):
            await pending.open(1, 0.01)
        with pytest.raises(DeadlineExceeded, match=r"within 0\.011 s"):
            await pending.open(1, 0.0109983)
        assert not pending.answer(1, "late")

    run(body)


def test_one_timer_serves_calls_of_any_deadlines(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        ended: list[int] = []
        for key, timeout in ((1, 0.06), (2, 0.01), (3, 0.03), (4, 10.0)):
            pending.open(key, timeout).add_done_callback(lambda _, key=key: ended.append(key))  # type: ignore[misc]
        await asyncio.wait([pending.open(5, 0.09)])
        await after_next_poll()
        assert set(ended) == {1, 2, 3}
        assert len(pending) == 1
        pending.fail_all(ConnectionLost("end"))

    run(body)


def test_answer_that_waits_in_the_socket_is_not_late(run: Run) -> None:
    """Our loop was held up past the deadline; the peer had answered in time."""

    async def body() -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            pending: PendingRequests[str] = PendingRequests("peer")
            transport, _ = await asyncio.get_running_loop().create_connection(lambda: Answers(pending), sock=ours)
            answer = pending.open(7, 0.01)
            theirs.send(b"\7")
            block_until(time.monotonic() + 0.05)
            assert await answer == "answered"
            transport.close()
            await after_next_poll()

    run(body)


def test_deadline_counts_from_the_call_and_not_from_the_loops_last_pass(run: Run) -> None:
    """uvloop's clock stands still within a pass: a call made after a long callback must have its whole time."""

    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        block_until(time.monotonic() + 0.05)
        opened = time.monotonic()
        with pytest.raises(DeadlineExceeded):
            await pending.open(1, 0.04)
        assert time.monotonic() - opened >= 0.04

    run(body)


def test_cancelled_call_is_forgotten_without_a_noise(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        for key in range(3):
            pending.open(key, 0.01).cancel()
        assert pending.answer(0, "late")
        assert pending.refuse(1, OvsdbError("late"))
        await asyncio.wait([pending.open(9, 0.02)])
        assert len(pending) == 0

    run(body)


def test_long_call_opened_while_a_late_one_is_judged_holds_up_no_other(run: Run) -> None:
    async def body() -> None:
        pending: PendingRequests[str] = PendingRequests("peer")
        first, second = pending.open(1, 0.01), pending.open(2, 0.02)
        for key in range(100, 1000):
            await asyncio.sleep(0)
            pending.open(key, 1000)
            if first.done():
                break
            block_until(time.monotonic() + 0.001)
        with pytest.raises(DeadlineExceeded):
            await asyncio.wait_for(second, PATIENCE)
        pending.fail_all(ConnectionLost("over"))

    run(body)

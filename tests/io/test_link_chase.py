"""A link whose peer's socket appears: it is tried at once, and again soon while nobody listens yet."""

from __future__ import annotations

import pytest

from ovsnet.errors import (
    BacklogFull,
    ConfigError,
    DeadlineExceeded,
    OvsnetError,
    SocketMissing,
)
from ovsnet.io.link_state import CHASE, FIRST_BACKOFF, State
from tests.io.links import LOST, REFUSED, chasing, link, up, waiting


def test_socket_that_appears_ends_the_pause_and_resets_the_backoff() -> None:
    made = waiting(failures=6)
    assert made.appeared()
    made.failed(LOST, 0.0)
    assert made.retry_at <= FIRST_BACKOFF * 1.25


@pytest.mark.parametrize("error", [REFUSED, SocketMissing("none")])
def test_chase_has_an_end(error: OvsnetError) -> None:
    made = chasing()
    for pause in CHASE:
        made.failed(error, 0.0)
        assert made.chased_after == pause
        assert made.chased()
    made.failed(error, 0.0)
    assert made.chased_after is None
    assert made.asked(0.0)
    made.failed(error, 0.0)
    assert made.state is State.WAITING


def test_somebody_who_asks_within_the_chase_need_not_wait_and_does_not_use_it_up() -> None:
    """What was missing may be known by now, such as where the southbound is."""
    made = chasing()
    for _ in range(100):
        made.failed(REFUSED, 0.0)
        assert made.chased_after == CHASE[0]
        assert made.asked(0.0)


def test_pause_of_the_chase_may_end_during_an_attempt_that_was_asked_for() -> None:
    made = chasing()
    made.failed(REFUSED, 0.0)
    made.asked(0.0)
    assert not made.chased()
    made.failed(REFUSED, 0.0)
    assert made.chased_after == CHASE[1]


@pytest.mark.parametrize("error", [LOST, BacklogFull("full"), DeadlineExceeded("late"), ConfigError("no file")])
def test_any_other_failure_ends_the_chase_and_is_waited_for(error: OvsnetError) -> None:
    made = chasing()
    made.failed(error, 0.0)
    assert (made.state, made.chased_after) == (State.WAITING, None)
    made.asked(made.retry_at)
    made.failed(REFUSED, made.retry_at)
    assert (made.state, made.chased_after) == (State.WAITING, None)


def test_session_ends_the_chase() -> None:
    made = chasing()
    made.opened(0.0)
    made.broke(REFUSED, FIRST_BACKOFF)
    made.asked(FIRST_BACKOFF)
    made.failed(REFUSED, FIRST_BACKOFF)
    assert (made.state, made.chased_after) == (State.WAITING, None)


def test_socket_that_appears_during_an_attempt_is_chased_when_that_is_refused() -> None:
    made = link()
    made.asked(0.0)
    assert not made.appeared()
    made.failed(REFUSED, 0.0)
    assert made.chased_after == CHASE[0]


def test_socket_that_appears_again_is_chased_from_the_first_pause_on() -> None:
    made = chasing()
    for _ in CHASE[:5]:
        made.failed(REFUSED, 0.0)
        made.chased()
    made.appeared()
    made.failed(REFUSED, 0.0)
    assert made.chased_after == CHASE[0]


def test_socket_that_appears_beside_a_session_begins_no_chase() -> None:
    made = up()
    assert not made.appeared()
    made.broke(LOST, FIRST_BACKOFF)
    made.asked(FIRST_BACKOFF)
    made.failed(REFUSED, FIRST_BACKOFF)
    assert made.chased_after is None

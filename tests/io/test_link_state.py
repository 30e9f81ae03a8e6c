"""When a link connects: the table is the one that the docstring draws, and pauses are what its rules say."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from ovsnet.errors import (
    ConfigError,
    ConnectionRefused,
    OvsnetError,
    ProtocolFlood,
    SocketMissing,
)
from ovsnet.io import link_state
from ovsnet.io.link_state import (
    FIRST_BACKOFF,
    FLOOD_BACKOFF,
    LONGEST_BACKOFF,
    LONGEST_FLOOD_BACKOFF,
    MOVES,
    Event,
    LinkState,
    State,
)
from tests.io.links import LOST, REFUSED, link, up, waiting

INTERNALS = Path(__file__).parents[2] / "docs/internals.md"


def documented() -> str:
    """The table of the docs, as the docstring draws it."""
    text = INTERNALS.read_text(encoding="utf-8").partition("\n## When a connection is made\n")[2]
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ") and "---" not in line]
    return "\n".join(row.removeprefix("|").removesuffix("|") for row in rows)


def drawn(text: str) -> dict[tuple[State, Event], State]:
    """A table of states, as text."""
    rows = [line.split("|") for line in text.splitlines() if line.count("|") == 4]
    header, *body = [[cell.strip() for cell in row] for row in rows]
    states = [State[name] for name in header[1:]]
    return {
        (state, Event[event]): state if target == "-" else State[target]
        for event, *targets in body
        for state, target in zip(states, targets, strict=True)
        if target
    }


def test_table_is_the_one_that_is_drawn() -> None:
    assert drawn(link_state.__doc__ or "") == MOVES
    assert drawn(documented()) == MOVES


def test_somebody_who_asks_begins_the_only_attempt() -> None:
    made = link()
    assert made.asked(0.0)
    assert made.state is State.CONNECTING
    assert not made.asked(0.0)
    made.opened(0.0)
    assert not made.asked(0.0)


def test_attempt_may_take_forever() -> None:
    """A frozen daemon finds one client when it thaws, not one per probe."""
    made = link()
    made.asked(0.0)
    assert not made.asked(1e9)
    assert made.state is State.CONNECTING


def test_asking_too_soon_begins_nothing_and_keeps_the_reason() -> None:
    made = waiting(error=REFUSED)
    assert not made.asked(made.retry_at - 0.001)
    assert made.state is State.WAITING
    assert made.error is REFUSED
    assert made.asked(made.retry_at)


@given(st.integers(), st.integers(1, 12))
def test_pause_doubles_up_to_the_longest_with_a_jitter_of_a_quarter(seed: int, failures: int) -> None:
    made = link(seed)
    for _ in range(failures):
        made.asked(made.retry_at)
        made.failed(LOST, 0.0)
    expected = min(FIRST_BACKOFF * 2 ** (failures - 1), LONGEST_BACKOFF)
    assert expected * 0.75 <= made.retry_at <= expected * 1.25


def test_jitter_keeps_two_links_out_of_step() -> None:
    pauses = set()
    for seed in range(8):
        made = link(seed)
        made.asked(0.0)
        made.failed(LOST, 0.0)
        pauses.add(made.retry_at)
    assert len(pauses) == 8


def test_session_that_outlived_its_backoff_is_replaced_at_once() -> None:
    made = up()
    made.broke(LOST, FIRST_BACKOFF)
    assert made.state is State.IDLE
    assert made.asked(FIRST_BACKOFF)


def test_session_that_broke_sooner_waits_longer_each_time() -> None:
    """As OVS's rconn: a daemon that accepts and closes at once must not be hammered."""
    made = up()
    now, expected = 0.0, FIRST_BACKOFF
    for _ in range(6):
        made.broke(LOST, now + expected / 2)
        assert made.state is State.WAITING
        assert expected * 0.75 <= made.retry_at - (now + expected / 2) <= expected * 1.25
        now, expected = made.retry_at, min(expected * 2, LONGEST_BACKOFF)
        assert made.asked(now)
        made.opened(now)
    made.broke(LOST, now + LONGEST_BACKOFF)
    assert made.state is State.IDLE


@pytest.mark.parametrize("state", State)
def test_closing_is_possible_in_every_state_and_ends_the_chase(state: State) -> None:
    made = up() if state is State.UP else link()
    if state in (State.CONNECTING, State.WAITING):
        made.appeared()
    if state is State.WAITING:
        made.failed(LOST, 0.0)
    assert made.state is state
    made.closed()
    assert made.state is State.IDLE
    made.asked(0.0)
    made.failed(REFUSED, 0.0)
    assert made.chased_after is None


def test_what_cannot_happen_is_an_error() -> None:
    with pytest.raises(KeyError):
        link().opened(0.0)


class AnyHistory(RuleBasedStateMachine):
    """Whatever happens in whatever order, the promises of the docstring hold."""

    def __init__(self) -> None:
        super().__init__()
        self.link = link()
        self.now = 0.0
        self.attempts = 0

    def count(self, begins: bool) -> None:
        self.attempts += begins
        assert begins <= (self.link.state is State.CONNECTING)
        assert self.attempts <= 1

    @rule(seconds=st.floats(0.0, 3.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def asked(self) -> None:
        refused = self.link.state is State.WAITING and self.now < self.link.retry_at
        self.count(self.link.asked(self.now))
        assert self.link.state is State.WAITING if refused else self.link.state in (State.CONNECTING, State.UP)

    @rule()
    def appeared(self) -> None:
        self.count(self.link.appeared())
        assert self.link.state in (State.CONNECTING, State.UP)

    @rule()
    @precondition(lambda self: self.link.state in (State.IDLE, State.CONNECTING) and self.link.chased_after is not None)
    def chased(self) -> None:
        self.count(self.link.chased())
        assert self.link.state is State.CONNECTING

    @rule()
    @precondition(lambda self: self.link.state is State.CONNECTING)
    def opened(self) -> None:
        self.attempts = 0
        self.link.opened(self.now)

    @rule(error=st.sampled_from([REFUSED, SocketMissing("none"), LOST, ConfigError("no file")]))
    @precondition(lambda self: self.link.state is State.CONNECTING)
    def failed(self, error: OvsnetError) -> None:
        self.attempts = 0
        self.link.failed(error, self.now)
        assert self.link.error is error

    @rule()
    @precondition(lambda self: self.link.state is State.UP)
    def broke(self) -> None:
        self.link.broke(LOST, self.now)
        assert self.link.state in (State.IDLE, State.WAITING)

    @rule()
    def closed(self) -> None:
        self.attempts = 0
        self.link.closed()
        assert self.link.state is State.IDLE

    @invariant()
    def only_a_link_without_a_session_is_chased(self) -> None:
        assert self.link.chased_after is None or self.link.state in (State.IDLE, State.CONNECTING)

    @invariant()
    def pause_is_never_longer_than_the_longest(self) -> None:
        if self.link.state is State.WAITING:
            assert self.link.retry_at <= self.now + LONGEST_BACKOFF * 1.25


TestAnyHistory = AnyHistory.TestCase


def test_peer_that_floods_is_left_alone_for_long_however_long_it_was_well() -> None:
    link = LinkState(random.Random(1))
    link.asked(0.0)
    link.opened(0.0)
    link.broke(ProtocolFlood("It floods."), 1000.0)
    assert link.state is State.WAITING
    assert 0.7 * FLOOD_BACKOFF < link.retry_at - 1000.0 < 1.3 * FLOOD_BACKOFF
    now = 1000.0
    for _ in range(10):
        now = link.retry_at
        assert link.asked(now)
        link.failed(ProtocolFlood("It floods."), now)
    assert 0.7 * LONGEST_FLOOD_BACKOFF < link.retry_at - now < 1.3 * LONGEST_FLOOD_BACKOFF
    now = link.retry_at
    assert link.asked(now)
    link.failed(ConnectionRefused("Nobody listens."), now)
    assert link.retry_at - now <= 1.3 * LONGEST_BACKOFF

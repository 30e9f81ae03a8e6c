"""A held connection: one attempt for all who ask, what each of them is told, and that closing leaves nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

import pytest

from ovsnet.errors import (
    BacklogFull,
    ConfigError,
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    NotConnectedYet,
    PeerError,
    SocketMissing,
)
from ovsnet.io.address import Address
from ovsnet.io.held_session import HeldSession
from ovsnet.io.link_state import FIRST_BACKOFF, LONGEST_BACKOFF, State
from ovsnet.io.transport import Channel
from ovsnet.node.link import Link
from ovsnet.sandbox.waiting import until
from tests.patience import PATIENCE


class Mute:
    """A protocol without a word."""

    def receive_data(self, data: bytes) -> Sequence[object]:
        return ()

    def data_to_send(self) -> bytes:
        return b""

    def eof_received(self) -> None:
        pass


class FakeSession(HeldSession):
    """A session that lasts until the test breaks it; it never was connected to anything."""

    def __init__(self) -> None:
        super().__init__(Channel(Address.unix("/nowhere"), Mute(), lambda events: None, lambda error: None))
        self.channel.heard_at = 12.5
        self.may_close = asyncio.Event()
        self.may_close.set()
        self.leads_here = True

    @property
    def named(self) -> bool:
        return self.leads_here

    async def aclose(self) -> None:
        await self.may_close.wait()
        await super().aclose()

    def lose(self, error: PeerError) -> None:
        self.channel.abort(error)


class Peer:
    """What ``open_session`` does next, and a clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.attempts = 0
        self.sessions: list[FakeSession] = []
        self.changes = 0
        self.questions = 0
        self.refusal: Exception | None = None
        self.greeting: asyncio.Event | None = None
        self.tried = asyncio.Event()

    async def open(self) -> FakeSession:
        self.attempts += 1
        self.tried.set()
        if self.greeting is not None:
            await self.greeting.wait()
        if self.refusal is not None:
            raise self.refusal
        self.sessions.append(FakeSession())
        return self.sessions[-1]

    def changed(self) -> None:
        self.changes += 1

    def asked(self) -> None:
        self.questions += 1

    def link(self, open_session: Callable[[], Coroutine[Any, Any, FakeSession]] | None = None) -> Link[FakeSession]:
        return Link(
            open_session or self.open,
            on_change=self.changed,
            on_ask=self.asked,
            clock=lambda: self.now,
            rng=random.Random(1),
        )

    async def lose(self, after: float, error: PeerError | None = None) -> None:
        """Break the newest session ``after`` seconds of its life."""
        self.now += after
        self.sessions[-1].lose(error or ConnectionLost("gone"))
        await asyncio.sleep(0)

    async def retries_after(self, link: Link[FakeSession]) -> float:
        """Seconds until an attempt is made; the clock is moved there."""
        start, before = self.now, self.attempts
        while self.attempts == before:
            self.now += 0.001
            with suppress(PeerError):
                await link.session(PATIENCE)
        return self.now - start


@pytest.fixture
async def peer() -> Peer:
    return Peer()


async def test_session_is_opened_once_and_held(peer: Peer) -> None:
    link = peer.link()
    assert link.current is None
    first = await link.session(PATIENCE)
    assert await link.session(PATIENCE) is first is link.current is link.held()
    assert (peer.attempts, peer.changes, peer.questions) == (1, 1, 2)
    assert link.heard_at == 12.5
    await link.aclose()


async def test_link_without_a_session_has_heard_nothing(peer: Peer) -> None:
    link = peer.link()
    assert link.heard_at == 0.0
    with pytest.raises(NotConnectedYet):
        link.held()


async def test_link_that_waits_for_its_greeting_is_not_lost(peer: Peer) -> None:
    link = peer.link()
    peer.greeting = asyncio.Event()
    asking = asyncio.create_task(link.session(PATIENCE))
    await peer.tried.wait()
    with pytest.raises(NotConnectedYet):
        link.held()
    peer.greeting.set()
    assert await asking is link.held()
    await link.aclose()


async def test_many_askers_share_one_attempt(peer: Peer) -> None:
    link = peer.link()
    peer.greeting = asyncio.Event()
    asking = [asyncio.create_task(link.session(PATIENCE)) for _ in range(10)]
    await peer.tried.wait()
    peer.greeting.set()
    assert len(set(await asyncio.gather(*asking))) == 1
    assert peer.attempts == 1
    await link.aclose()


async def test_failure_is_told_to_all_who_wait_and_to_those_who_ask_too_soon(peer: Peer) -> None:
    link = peer.link()
    peer.refusal = ConnectionRefused("nobody")
    results = await asyncio.gather(*(link.session(PATIENCE) for _ in range(3)), return_exceptions=True)
    assert results == [peer.refusal] * 3
    with pytest.raises(ConnectionRefused):
        await link.session(PATIENCE)
    assert peer.attempts == 1
    assert link.lost == {"refused": 1}
    assert peer.changes == 0


async def test_attempts_double_their_pause_up_to_the_longest(peer: Peer) -> None:
    """With a jitter of a quarter."""
    link = peer.link()
    peer.refusal = SocketMissing("none")
    with pytest.raises(SocketMissing):
        await link.session(PATIENCE)
    expected = FIRST_BACKOFF
    for _ in range(8):
        assert expected * 0.75 <= await peer.retries_after(link) <= expected * 1.25 + 0.002
        expected = min(expected * 2, LONGEST_BACKOFF)
    assert expected == LONGEST_BACKOFF


async def test_socket_that_appears_ends_the_pause_and_resets_the_backoff(peer: Peer) -> None:
    link = peer.link()
    peer.refusal = BacklogFull("full")
    for _ in range(5):
        with pytest.raises(BacklogFull):
            await link.session(PATIENCE)
        peer.now += LONGEST_BACKOFF * 1.25
    peer.now -= LONGEST_BACKOFF * 1.25
    link.appeared()
    await until(lambda: peer.attempts == 6 and link.state is State.WAITING, PATIENCE, "Nobody connected.")
    assert await peer.retries_after(link) <= FIRST_BACKOFF * 1.25 + 0.002


async def test_session_that_lived_long_is_replaced_at_once(peer: Peer) -> None:
    link = peer.link()
    first = await link.session(PATIENCE)
    await peer.lose(after=60.0)
    assert link.current is None
    assert link.lost_at == peer.now
    assert await link.session(PATIENCE) is not first
    assert (peer.attempts, peer.changes) == (2, 3)
    assert link.lost == {"closed": 1}
    await link.aclose()


async def test_session_that_flaps_waits_longer_each_time(peer: Peer) -> None:
    """As OVS's rconn: a daemon that accepts and closes at once must not be hammered."""
    link = peer.link()
    await link.session(PATIENCE)
    expected = FIRST_BACKOFF
    for _ in range(6):
        await peer.lose(after=0.01)
        assert expected * 0.75 <= await peer.retries_after(link) <= expected * 1.25 + 0.002
        expected = min(expected * 2, LONGEST_BACKOFF)
    await link.aclose()


async def test_error_that_is_not_the_peers_is_tried_again_too(peer: Peer) -> None:
    """A certificate may be missing while it is being renewed."""
    link = peer.link()
    peer.refusal = ConfigError("no file")
    with pytest.raises(ConfigError):
        await link.session(PATIENCE)
    with pytest.raises(ConfigError):
        await link.session(PATIENCE)
    assert peer.attempts == 1
    peer.refusal = None
    peer.now += FIRST_BACKOFF * 1.25
    assert await link.session(PATIENCE)
    await link.aclose()


async def test_attempt_without_greeting_is_held_and_not_repeated(peer: Peer) -> None:
    """A frozen daemon finds one client when it thaws, not one per probe."""
    link = peer.link()
    peer.greeting = asyncio.Event()
    for _ in range(5):
        with pytest.raises(DeadlineExceeded, match=r"No greeting came within 0\.001 s"):
            await link.session(0.001)
    peer.greeting.set()
    assert await link.session(PATIENCE)
    assert peer.attempts == 1
    await link.aclose()


async def test_asker_that_is_cancelled_leaves_the_attempt_to_the_others(peer: Peer) -> None:
    link = peer.link()
    peer.greeting = asyncio.Event()
    one, other = (asyncio.create_task(link.session(PATIENCE)) for _ in range(2))
    await peer.tried.wait()
    one.cancel()
    peer.greeting.set()
    assert await other
    assert one.cancelled()
    await link.aclose()


async def test_closing_while_connecting_gives_up_and_tells_who_waits(peer: Peer) -> None:
    link = peer.link()
    peer.greeting = asyncio.Event()
    asking = asyncio.create_task(link.session(PATIENCE))
    await peer.tried.wait()
    await link.aclose()
    with pytest.raises(ConnectionLost, match="closed by us"):
        await asking
    assert peer.sessions == []


async def test_closing_ends_the_session_without_counting_a_loss(peer: Peer) -> None:
    link = peer.link()
    session = await link.session(PATIENCE)
    await link.aclose()
    assert session.closed.done()
    await asyncio.sleep(0)
    assert not link.lost
    assert link.lost_at is None
    await link.aclose()


async def test_closing_after_a_failure_is_nothing(peer: Peer) -> None:
    link = peer.link()
    await link.aclose()
    peer.refusal = SocketMissing("none")
    with pytest.raises(SocketMissing):
        await link.session(PATIENCE)
    await link.aclose()


async def test_end_of_an_old_session_does_not_touch_the_new_one(peer: Peer) -> None:
    link = peer.link()
    old = await link.session(PATIENCE)
    old.may_close.clear()
    closing = asyncio.create_task(link.aclose())
    await asyncio.sleep(0)
    new = await link.session(PATIENCE)
    old.lose(ConnectionLost("gone"))
    await asyncio.sleep(0)
    assert link.current is new
    assert not link.lost
    old.may_close.set()
    await closing
    assert link.current is new
    await link.aclose()


async def test_closing_ends_a_session_that_came_in_the_same_moment(peer: Peer) -> None:
    """The attempt is done, and the link has not been told yet."""
    link = peer.link()
    asking = asyncio.create_task(link.session(PATIENCE))
    await until(lambda: bool(peer.sessions), PATIENCE, "Nobody connected.")
    await link.aclose()
    assert all(session.closed.done() for session in peer.sessions)
    assert await asking in peer.sessions
    assert (link.current, link.state) == (None, State.IDLE)


async def test_bug_in_an_attempt_is_raised_and_does_not_stay_for_good(peer: Peer) -> None:
    link = peer.link()
    peer.refusal = ZeroDivisionError()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            await link.session(PATIENCE)
    assert (peer.attempts, link.lost.total()) == (1, 1)
    peer.refusal = None
    peer.now += FIRST_BACKOFF * 1.25
    assert await link.session(PATIENCE)
    await link.aclose()


async def test_socket_that_appears_is_chased_until_it_accepts(peer: Peer) -> None:
    """bind() makes it visible, listen() a moment later makes it accept."""
    came = asyncio.Event()

    async def open_at_the_third() -> FakeSession:
        if peer.attempts < 2:
            peer.attempts += 1
            raise ConnectionRefused("not yet")
        came.set()
        return await peer.open()

    link = peer.link(open_at_the_third)
    link.appeared()
    link.appeared()
    await came.wait()
    assert await link.session(PATIENCE) is peer.sessions[0]
    assert peer.attempts == 3
    link.appeared()
    assert await link.session(PATIENCE) is peer.sessions[0]
    await link.aclose()


async def test_chase_goes_on_without_anybody_asking(peer: Peer) -> None:
    link = peer.link()
    peer.refusal = SocketMissing("gone again")
    link.appeared()
    await until(lambda: peer.attempts == 4, PATIENCE, "The chase has stopped.")
    assert peer.questions >= 4  # the peer's silence counts from each of them
    peer.refusal = None
    await until(lambda: link.state is State.UP, PATIENCE, "The chase has stopped.")
    await link.aclose()


async def test_what_is_asked_within_the_chase_is_tried_at_once(peer: Peer) -> None:
    link = peer.link()
    peer.refusal = SocketMissing("not known yet")
    link.appeared()
    await peer.tried.wait()
    for _ in range(50):
        with pytest.raises(SocketMissing):
            await link.session(PATIENCE)
    peer.refusal = None
    assert await link.session(PATIENCE)
    await link.aclose()


async def test_closing_ends_the_chase(peer: Peer) -> None:
    link = peer.link()
    peer.greeting = asyncio.Event()
    link.appeared()
    await peer.tried.wait()
    await link.aclose()
    assert link.current is None
    assert len(asyncio.all_tasks()) == 1


async def test_session_whose_name_leads_elsewhere_is_left_for_the_one_there(peer: Peer) -> None:
    """At once, however young it is: it is us who leave, so the peer has not flapped."""
    link = peer.link()
    old = await link.session(PATIENCE)
    old.leads_here = False
    new = await link.session(PATIENCE)
    assert new is link.current is peer.sessions[1]
    assert isinstance(old.closed.result(), ConnectionLost)
    assert (peer.attempts, peer.changes, link.lost) == (2, 3, {"closed": 1})
    await link.aclose()


async def test_session_whose_name_leads_nowhere_is_left_for_what_everybody_meets(peer: Peer) -> None:
    link = peer.link()
    old = await link.session(PATIENCE)
    old.leads_here = False
    peer.refusal = SocketMissing("none")
    with pytest.raises(SocketMissing):
        await link.session(PATIENCE)
    assert old.closed.done()
    assert (link.current, link.lost_at) == (None, peer.now)


async def test_redirected_link_gives_its_session_up_and_connects_to_the_new_address(peer: Peer) -> None:
    link = peer.link()
    old = await link.session(PATIENCE)
    link.redirect()
    assert isinstance(old.closed.result(), ConnectionLost)
    assert (link.current, link.state, peer.changes) == (None, State.IDLE, 2)
    assert await link.session(PATIENCE) is peer.sessions[1]
    await link.aclose()


async def test_redirected_link_gives_its_attempt_up_and_tells_who_waits(peer: Peer) -> None:
    link = peer.link()
    peer.greeting = asyncio.Event()
    asking = asyncio.create_task(link.session(PATIENCE))
    await peer.tried.wait()
    link.redirect()
    with pytest.raises(ConnectionLost):
        await asking
    peer.greeting = None
    assert await link.session(PATIENCE) is peer.sessions[0]
    assert peer.attempts == 2
    await link.aclose()


async def test_redirected_link_closes_what_came_in_the_same_moment(peer: Peer) -> None:
    """The attempt is done, and the link has not been told yet."""
    link = peer.link()
    asking = asyncio.create_task(link.session(PATIENCE))
    await until(lambda: bool(peer.sessions), PATIENCE, "Nobody connected.")
    link.redirect()
    with suppress(ConnectionLost):
        await asking
    await asyncio.sleep(0)
    assert all(session.closed.done() for session in peer.sessions)
    assert (link.current, link.state) == (None, State.IDLE)


async def test_redirected_link_does_not_wait_for_the_pause_of_the_old_address(peer: Peer) -> None:
    link = peer.link()
    peer.refusal = ConnectionRefused("nobody")
    with pytest.raises(ConnectionRefused):
        await link.session(PATIENCE)
    link.redirect()
    peer.refusal = None
    assert await link.session(PATIENCE)
    await link.aclose()


async def test_link_without_a_connection_is_redirected_without_a_word(peer: Peer) -> None:
    link = peer.link()
    link.redirect()
    assert (peer.changes, link.lost_at, link.lost.total()) == (0, None, 0)

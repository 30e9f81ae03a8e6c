"""A held connection: one attempt for all who ask, what each of them is told, and that closing leaves nothing."""

from __future__ import annotations

import asyncio

import pytest

from ovsnet.errors import (
    BacklogFull,
    ConfigError,
    ConnectionLost,
    ConnectionRefused,
    DeadlineExceeded,
    NotConnectedYet,
    SocketMissing,
)
from ovsnet.io.link_state import FIRST_BACKOFF, LONGEST_BACKOFF, State
from ovsnet.sandbox.waiting import until
from tests.node.link_peer import Peer
from tests.patience import PATIENCE


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

"""A link whose socket appears, moves or is taken away: it chases, leaves and follows."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from ovsnet.errors import ConnectionLost, ConnectionRefused, SocketMissing
from ovsnet.io.link_state import State
from ovsnet.sandbox.waiting import until
from tests.node.link_peer import FakeSession, Peer
from tests.patience import PATIENCE


@pytest.fixture
async def peer() -> Peer:
    return Peer()


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

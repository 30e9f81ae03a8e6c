"""Every client that stays connected: what it says of itself, and what its callers get while the peer is away."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import (
    ConnectionLost,
    DeadlineExceeded,
    OvsnetError,
    PeerError,
    RequestRefused,
    SocketMissing,
    UsageError,
)
from ovsnet.io.address import Address
from ovsnet.io.ending import Ending
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.kept import KEPT_CHANGES, ClientState, Echoes, KeptClient, Session
from ovsnet.io.link_state import LONGEST_BACKOFF, LONGEST_FAR_BACKOFF
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path


class Peer:
    """Answers every request with an empty result, unless it is ``silent``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.silent = False
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            self.path.unlink(missing_ok=True)
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError):
            while request := await reader.read(1 << 16):
                if not self.silent:
                    answer = {"id": json.loads(request)["id"], "result": [], "error": None}
                    writer.write(json.dumps(answer).encode())
        self._writers.discard(writer)
        writer.close()


class EchoSession(JsonRpcSession):
    def __init__(self, path: Path) -> None:
        super().__init__(Address.unix(path), max_bytes=1 << 10, refusal=lambda error: RequestRefused(str(error)))

    async def echo(self, *, timeout: float) -> float:
        began = time.monotonic()
        await self.request("echo", (), timeout=timeout)
        return time.monotonic() - began


class Client(KeptClient[EchoSession]):
    def __init__(
        self, path: Path, *, wait: bool = True, probe: float | None = None, longest_pause: float | None = None
    ) -> None:
        super().__init__((Address.unix(path),), wait=wait, probe=probe, longest_pause=longest_pause)
        self._path = path

    async def _connect(self) -> EchoSession:
        session = EchoSession(self._path)
        await session.open(timeout=PATIENCE)
        return session

    async def echo(self, *, timeout: float = PATIENCE) -> float:
        return await (await self._wanted(timeout)).echo(timeout=timeout)


@pytest.fixture
async def peer(path: Path) -> AsyncIterator[Peer]:
    peer = Peer(path)
    await peer.start()
    yield peer
    await peer.stop()


async def test_client_says_where_it_is_and_why(peer: Peer) -> None:
    async with Client(peer.path) as client:
        assert (client.state, client.session, client.status.reason) == ("connecting", None, None)
        changes = client.changes()
        first = await client.connected(timeout=PATIENCE)
        assert (client.state, client.session, client.status.reason) == ("up", first, None)
        await client.echo()
        await peer.stop()
        status = await client.until("waiting", timeout=PATIENCE)
        assert isinstance(status.reason, SocketMissing | ConnectionLost)
        assert status.since <= time.monotonic()
        await peer.start()
        assert (await client.until("up", timeout=PATIENCE)).reason is None
        assert await client.echo() >= 0
        assert client.session not in (None, first)
        assert isinstance(first.closed.result(), ConnectionLost)
    with pytest.raises(ConnectionLost, match=r"The client of unix:.* was closed"):
        client.held()
    states = [status.state async for status in changes]
    assert states[:2] == ["connecting", "up"]
    assert states.count("up") == 2
    assert states[-1] == "closed"


async def test_call_while_the_peer_is_away_waits_or_fails_as_asked(peer: Peer) -> None:
    await peer.stop()
    async with Client(peer.path, wait=False) as hasty, Client(peer.path) as patient:
        await hasty.until("waiting", timeout=PATIENCE)
        with pytest.raises(SocketMissing):
            await hasty.echo()
        await patient.until("waiting", timeout=PATIENCE)
        with pytest.raises(DeadlineExceeded, match="does not exist"):
            await patient.echo(timeout=0.05)
        asked = asyncio.create_task(patient.echo())
        await peer.start()
        assert await asked >= 0
    with pytest.raises(ConnectionLost, match=r"The client of unix:.* was closed"):
        await patient.echo()


async def test_session_that_is_over_is_none_though_the_client_has_not_seen_it_yet(peer: Peer) -> None:
    """To ask again and again at that moment must not keep the client from seeing it."""
    ended = ConnectionLost("It has ended by itself.")
    async with Client(peer.path) as patient:
        first = await patient.connected(timeout=PATIENCE)
        first.fail(ended)
        assert (patient.state, patient.session) == ("up", None)
        assert await patient.echo() >= 0
        assert patient.session not in (None, first)
    async with Client(peer.path, wait=False) as hasty:
        (await hasty.connected(timeout=PATIENCE)).fail(ended)
        for _ in range(10):
            with pytest.raises(ConnectionLost, match="ended by itself"):
                await hasty.echo()
        assert hasty.state == "waiting"


async def test_client_that_was_never_started_says_so(path: Path) -> None:
    for client in (Client(path, wait=False), Client(path)):
        with pytest.raises(PeerError, match=r"not connected yet|was not up") as caught:
            await client.echo(timeout=0.01)
        assert "async with" in caught.value.remedy
        await client.aclose()


async def test_end_of_a_client_ends_its_watchers_and_those_that_wait(path: Path) -> None:
    client = Client(path)
    client.start()

    async def states() -> list[str]:
        return [status.state async for status in client.changes()]

    watching = asyncio.create_task(states())
    waiting = asyncio.create_task(client.until("up", timeout=PATIENCE))
    await client.until("waiting", timeout=PATIENCE)
    await client.aclose()
    assert (await watching)[-1] == "closed"
    with pytest.raises(ConnectionLost):
        await waiting


async def test_slow_watcher_misses_the_oldest_changes_alone(path: Path) -> None:
    client = Client(path)
    changes = client.changes()
    reasons = [ConnectionLost(str(number)) for number in range(2 * KEPT_CHANGES)]
    for reason in reasons:
        client._become("waiting", reason)
    await client.aclose()
    seen = [status async for status in changes]
    assert len(seen) == KEPT_CHANGES
    assert [status.reason for status in seen[:-1]] == reasons[-KEPT_CHANGES + 1 :]
    assert seen[-1].state == "closed"


async def test_peer_that_falls_silent_is_found_out(peer: Peer) -> None:
    async with Client(peer.path, probe=0.02) as client:
        first = await client.connected(timeout=PATIENCE)
        peer.silent = True
        assert isinstance(await asyncio.wait_for(first.closed, PATIENCE), DeadlineExceeded)


class Talking(Echoes):
    """Was silent all along when it is asked for an echo, and then talks until it is late with it."""

    def __init__(self) -> None:
        self._heard_at = -math.inf
        self._closed = Ending()

    @property
    def closed(self) -> Ending:
        return self._closed

    @property
    def heard_at(self) -> float:
        return self._heard_at

    @property
    def patient(self) -> bool:
        return False

    async def echo(self, *, timeout: float) -> float:
        self._heard_at = time.monotonic()
        asyncio.get_running_loop().call_soon(self.fail, ConnectionLost("It has ended by itself."))
        raise DeadlineExceeded("The echo is late.")

    def fail(self, error: PeerError) -> None:
        self._closed.come(error)

    async def aclose(self) -> None: ...


class Given(KeptClient[Session]):
    """Of sessions that the test makes."""

    def __init__(self, make: Callable[[], Session], *, probe: float) -> None:
        super().__init__((Address.unix("/what-the-test-makes"),), probe=probe)
        self._make = make

    async def _connect(self) -> Session:
        return self._make()


async def test_peer_that_talks_is_alive_although_its_echo_is_late() -> None:
    async with Given(Talking, probe=PATIENCE) as client, asyncio.timeout(PATIENCE):
        reasons = (status.reason async for status in client.changes() if status.reason is not None)
        assert str(await anext(reasons)) == "It has ended by itself."


async def test_fault_of_ours_ends_the_client_and_is_reported(peer: Peer) -> None:
    logged: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: logged.append(context))

    def fail() -> EchoSession:
        raise ValueError("no")

    async with Given(fail, probe=PATIENCE) as client:
        with pytest.raises(OvsnetError, match="fault of ovsnet: ValueError: no"):
            await client.until("up", timeout=PATIENCE)
        with pytest.raises(OvsnetError, match="fault of ovsnet: ValueError: no") as caught:
            await client.connected(timeout=PATIENCE)
        assert caught.value.remedy
        assert client.state == "closed"
    assert [type(each["exception"]) for each in logged] == [ValueError]


@pytest.mark.parametrize(
    ("peers", "longest_pause", "longest"),
    [
        (["unix:/a", "unix:/b"], None, LONGEST_BACKOFF),
        (["unix:/a", "ssl:h:1"], None, LONGEST_FAR_BACKOFF),
        (["tcp:h:1"], 0.5, 0.5),
    ],
)
async def test_pauses_are_longer_for_servers_elsewhere(
    peers: list[str], longest_pause: float | None, longest: float
) -> None:
    class Away(KeptClient[EchoSession]):
        async def _connect(self) -> EchoSession:
            raise SocketMissing("x")

    link = Away([*map(Address.parse, peers)], longest_pause=longest_pause)._link
    for _ in range(10):
        link.asked(link.retry_at)
        link.failed(SocketMissing("x"), 0.0)
    assert 0.75 * longest <= link.retry_at <= 1.25 * longest


async def test_client_that_was_closed_may_be_entered_again(peer: Peer) -> None:
    client = Client(peer.path)
    for _ in range(2):
        async with client:
            assert await client.echo() >= 0
        with pytest.raises(ConnectionLost, match="was closed"):
            await client.echo()


@pytest.mark.parametrize("state", ["up", "waiting"])
async def test_client_can_be_closed_in_any_state_and_more_than_once(peer: Peer, state: ClientState) -> None:
    if state == "waiting":
        await peer.stop()
    client = Client(peer.path)
    await client.aclose()
    client = Client(peer.path)
    client.start()
    client.start()
    await client.until(state, timeout=PATIENCE)
    session = client.session
    await client.aclose()
    await client.aclose()
    assert client.state == "closed"
    assert session is None or session.closed.done()


@pytest.mark.parametrize("seconds", [0, 0.0, -1.0, math.nan])
def test_pause_that_is_none_is_wrong_usage(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(UsageError, match="The longest pause must be greater than 0 s"):
        Client(tmp_path / "x", longest_pause=seconds)


async def test_attempts_that_fail_at_once_leave_the_loop_its_turns(tmp_path: Path) -> None:
    """Also with pauses that are over before one looks."""

    class Failing(Client):
        attempts = 0

        async def _connect(self) -> EchoSession:
            self.attempts += 1
            if self.attempts == 1000:
                await asyncio.Event().wait()
            raise SocketMissing("It is not there.")

    async with Failing(tmp_path / "x", longest_pause=5e-324) as client:
        for _ in range(100):
            await asyncio.sleep(0)
        assert client.attempts < 1000

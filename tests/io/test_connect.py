"""How a connect ends: each state of a daemon has its own error, and a full backlog is waited out."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import socket
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import (
    BacklogFull,
    ConfigError,
    ConnectionRefused,
    PermissionDenied,
    ProtocolError,
    SocketMissing,
    Unreachable,
)
from ovsnet.io import connect as connect_module
from ovsnet.io.address import Address
from ovsnet.io.connect import connect, connect_once, try_connect_unix
from ovsnet.sandbox.node import Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tests.io.conftest import Lines

    Places = list[tuple[str, int]]
    Resolve = Callable[[Places | OSError], None]
    AddressInfo = tuple[int, int, int, str, tuple[str | bytes | int, ...]]
    """An entry of what ``getaddrinfo`` returns, on every loop."""


NOBODY = 65534


@contextmanager
def full_backlog(address: Address) -> Iterator[list[socket.socket]]:
    """As many connections as the listener takes without accepting."""
    with ExitStack() as stack:
        waiting: list[socket.socket] = []
        while True:
            try:
                waiting.append(stack.enter_context(try_connect_unix(address)))
            except BacklogFull:
                break
        yield waiting


@contextmanager
def unprivileged() -> Iterator[None]:
    """As nobody when the tests run as root; else as we are."""
    before = os.geteuid()
    if before:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(before)


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> asyncio.Queue[None]:
    """One entry for each connect() that was tried."""
    made: asyncio.Queue[None] = asyncio.Queue()

    def counted(address: Address) -> socket.socket:
        made.put_nowait(None)
        return try_connect_unix(address)

    monkeypatch.setattr(connect_module, "try_connect_unix", counted)
    return made


async def test_absent_socket_is_missing(path: Path, line: Lines) -> None:
    with pytest.raises(SocketMissing, match=r"sock does not exist\.") as caught:
        await connect(line(Address.unix(path)).channel, timeout=5)
    assert caught.value.remedy


async def test_stale_socket_refuses(listener: socket.socket, path: Path, line: Lines) -> None:
    listener.close()
    with pytest.raises(ConnectionRefused, match="Nobody listens on"):
        await connect(line(Address.unix(path)).channel, timeout=5)


async def test_socket_of_somebody_else_is_forbidden(listener: socket.socket, path: Path, line: Lines) -> None:
    os.chmod(path, 0)
    with unprivileged(), pytest.raises(PermissionDenied, match=r"User \d+ may not open"):
        await connect(line(Address.unix(path)).channel, timeout=5)


async def test_path_through_a_file_is_unreachable(listener: socket.socket, path: Path, line: Lines) -> None:
    with pytest.raises(Unreachable, match="Not a directory"):
        await connect(line(Address.unix(path / "sock")).channel, timeout=5)


async def test_full_backlog_is_told_at_the_deadline_and_not_spun_on(
    listener: socket.socket, path: Path, line: Lines, attempts: asyncio.Queue[None]
) -> None:
    """The waits are 1, 2, 4 .. 50 ms, each halved at the least: 0.3 s have room for no more than 20."""
    with (
        full_backlog(Address.unix(path)),
        pytest.raises(BacklogFull, match="accepts no connection: its backlog is full"),
    ):
        await connect(line(Address.unix(path)).channel, timeout=0.3, rng=random.Random(1))
    assert 2 <= attempts.qsize() <= 20


async def test_one_attempt_does_not_wait_for_room(
    listener: socket.socket, path: Path, line: Lines, attempts: asyncio.Queue[None]
) -> None:
    with full_backlog(Address.unix(path)), pytest.raises(BacklogFull):
        await connect_once(line(Address.unix(path)).channel)
    assert attempts.qsize() == 1


async def test_full_backlog_connects_once_room_appears(
    listener: socket.socket, path: Path, line: Lines, attempts: asyncio.Queue[None]
) -> None:
    talk = line(Address.unix(path))
    with full_backlog(Address.unix(path)):
        connecting = asyncio.create_task(connect(talk.channel, timeout=50))
        for _ in range(3):
            await attempts.get()
        assert not connecting.done()
        listener.accept()[0].close()
        await connecting
    assert talk.channel.lost is None
    await talk.channel.aclose()


async def test_connect_that_is_given_up_leaves_nothing(
    listener: socket.socket, path: Path, line: Lines, attempts: asyncio.Queue[None]
) -> None:
    with full_backlog(Address.unix(path)):
        connecting = asyncio.create_task(connect(line(Address.unix(path)).channel, timeout=50))
        await attempts.get()
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


async def test_frozen_switch_fills_and_thaws(line: Lines) -> None:
    """A stopped vswitchd takes 65 clients without a word, then none; every one is served when it goes on."""
    async with Sandbox(ovn=False, ports=0) as node:
        address = Address.unix(node.rundir / "br-int.mgmt")
        await node.freeze("ovs-vswitchd")
        with full_backlog(address) as waiting:
            assert len(waiting) > 10
            with pytest.raises(BacklogFull):
                await connect(line(address).channel, timeout=0.1)
            talk = line(address)
            connecting = asyncio.create_task(connect(talk.channel, timeout=50))
            await node.thaw("ovs-vswitchd")
            await connecting
        assert talk.channel.peer_pid == node.pid("ovs-vswitchd")
        await talk.channel.aclose()


def tcp_address(listener: socket.socket) -> Address:
    return Address("tcp", host="127.0.0.1", port=listener.getsockname()[1])


async def test_tcp_connects(tcp_listener: socket.socket, line: Lines) -> None:
    talk = line(tcp_address(tcp_listener))
    await connect(talk.channel, timeout=5)
    assert talk.channel.lost is None
    assert talk.channel.peer_pid is None
    await talk.channel.aclose()


async def test_tcp_port_without_listener_refuses(tcp_listener: socket.socket, line: Lines) -> None:
    address = tcp_address(tcp_listener)
    tcp_listener.close()
    with pytest.raises(ConnectionRefused):
        await connect(line(address).channel, timeout=5)


def crowd(listener: socket.socket, stack: ExitStack) -> None:
    """Linux drops the SYN when the accept queue is full."""
    for _ in range(8):
        client = stack.enter_context(socket.socket())
        client.setblocking(False)
        client.connect_ex(listener.getsockname())


async def test_tcp_listener_that_drops_us_is_unreachable_at_the_deadline(
    tcp_listener: socket.socket, line: Lines
) -> None:
    with ExitStack() as stack:
        crowd(tcp_listener, stack)
        with pytest.raises(Unreachable, match=r"did not accept within 0\.1 s") as caught:
            await connect(line(tcp_address(tcp_listener)).channel, timeout=0.1)
    assert caught.value.remedy


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Make the running loop find these places under a name that ends in .example, or raise this error."""

    def answer(found: Places | OSError) -> None:
        resolve_number = asyncio.get_running_loop().getaddrinfo

        async def getaddrinfo(host: str, port: int, **rest: int) -> Sequence[AddressInfo]:
            if not host.endswith(".example"):
                return await resolve_number(host, port, **rest)  # uvloop's sock_connect asks once more
            if isinstance(found, OSError):
                raise found
            return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", where) for where in found]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)

    return answer


async def test_name_with_several_addresses_is_tried_in_turn(
    tcp_listener: socket.socket, line: Lines, resolve: Resolve
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        resolve([closed.getsockname(), tcp_listener.getsockname()])
        talk = line(Address.parse("tcp:both.example:6640"))
        await connect(talk.channel, timeout=5)
        await talk.channel.aclose()


async def test_name_whose_addresses_all_refuse_is_refused(line: Lines, resolve: Resolve) -> None:
    """The libraries make one error without errno of the two, which says nothing."""
    with socket.socket() as one, socket.socket() as two:
        for sock in (one, two):
            sock.bind(("127.0.0.1", 0))
        resolve([one.getsockname(), two.getsockname()])
        with pytest.raises(ConnectionRefused):
            await connect(line(Address.parse("tcp:both.example:6640")).channel, timeout=5)


async def test_address_that_is_silent_leaves_time_for_the_others(
    tcp_listener: socket.socket, line: Lines, resolve: Resolve
) -> None:
    """As an IPv6 address that leads nowhere does."""
    with ExitStack() as stack, socket.create_server(("127.0.0.1", 0)) as open_listener, socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        crowd(tcp_listener, stack)
        resolve([tcp_listener.getsockname(), open_listener.getsockname()])
        talk = line(Address.parse("tcp:both.example:6640"))
        await connect(talk.channel, timeout=1.0)
        await talk.channel.aclose()
        resolve([tcp_listener.getsockname(), closed.getsockname()])
        with pytest.raises(ConnectionRefused):
            await connect(line(Address.parse("tcp:both.example:6640")).channel, timeout=0.2)


@pytest.mark.parametrize("found", [socket.gaierror(socket.EAI_NONAME, "Name or service not known"), []])
async def test_name_that_does_not_resolve_is_told_as_that(
    line: Lines, resolve: Resolve, found: Places | OSError
) -> None:
    resolve(found)
    with pytest.raises(Unreachable, match=r"cannot be (resolved: Name or service not known|reached: none.example has)"):
        await connect(line(Address.parse("tcp:none.example:6640")).channel, timeout=5)


async def test_tcp_connect_that_is_given_up_leaves_nothing(tcp_listener: socket.socket, line: Lines) -> None:
    connecting = asyncio.create_task(connect(line(tcp_address(tcp_listener)).channel, timeout=50))
    await asyncio.sleep(0)
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting


async def test_own_stall_is_not_blamed_on_a_peer_that_refuses(line: Lines) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        connecting = asyncio.create_task(connect(line(tcp_address(closed)).channel, timeout=0.05))
        await asyncio.sleep(0)
        time.sleep(0.2)  # noqa: ASYNC251 - the whole loop stands still past the deadline
        with pytest.raises(ConnectionRefused):
            await connecting


async def test_own_stall_is_not_blamed_on_a_peer_that_accepts(tcp_listener: socket.socket, line: Lines) -> None:
    talk = line(tcp_address(tcp_listener))
    connecting = asyncio.create_task(connect(talk.channel, timeout=0.05))
    await asyncio.sleep(0)
    time.sleep(0.2)  # noqa: ASYNC251 - the whole loop stands still past the deadline
    await connecting
    talk.channel.abort()


async def test_tls_needs_files(line: Lines) -> None:
    with pytest.raises(ConfigError, match="needs TLS files, and none are configured") as caught:
        await connect(line(Address.parse("ssl:127.0.0.1:6640")).channel, timeout=5)
    assert "tls_key" in caught.value.remedy


async def test_peer_that_is_gone_before_we_attach_is_lost(
    listener: socket.socket, path: Path, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It accepted and closed before our first read: no connect error, for there was a connection."""

    def connect_and_lose(address: Address) -> socket.socket:
        sock = try_connect_unix(address)
        listener.accept()[0].close()
        return sock

    monkeypatch.setattr(connect_module, "try_connect_unix", connect_and_lose)
    talk = line(Address.unix(path))
    await connect(talk.channel, timeout=5)
    assert (await talk.channel.closed).reason == "closed"
    assert len(talk.ends) == 1


async def test_peer_that_talks_nonsense_at_once_costs_no_descriptor(
    listener: socket.socket, path: Path, line: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """uvloop reads before ``connect`` returns, and leaves two owners of one descriptor when we then hang up."""

    def connect_and_hear(address: Address) -> socket.socket:
        sock = try_connect_unix(address)
        with listener.accept()[0] as peer:
            peer.send(b"nonsense")
        return sock

    def receive_data(data: bytes) -> Sequence[bytes]:
        raise ProtocolError("nonsense")

    monkeypatch.setattr(connect_module, "try_connect_unix", connect_and_hear)
    talk = line(Address.unix(path))
    talk.core.receive_data = receive_data  # type: ignore[method-assign]
    await connect(talk.channel, timeout=5)
    assert isinstance(await talk.channel.closed, ProtocolError)
    with socket.socket() as innocent:
        gc.collect()
        assert os.fstat(innocent.fileno())

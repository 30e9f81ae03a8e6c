"""Every test of the transport runs on asyncio's loop and on uvloop: they differ where it hurts."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Protocol

import pytest
import uvloop

from ovsnet.io.address import Address
from ovsnet.io.transport import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ovsnet.errors import PeerError


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


class Anything:
    """A core that takes any bytes for an event. What stands in ``to_send`` is sent with the next bytes that come."""

    def __init__(self) -> None:
        self.to_send = b""

    def receive_data(self, data: bytes, /) -> Sequence[bytes]:
        return [data]

    def data_to_send(self) -> bytes:
        data, self.to_send = self.to_send, b""
        return data

    def eof_received(self) -> None: ...


class Line:
    """A channel, and what it told its owner."""

    def __init__(self, address: Address, core: Anything) -> None:
        self.core = core
        self.heard: list[bytes] = []
        self.ends: list[PeerError] = []
        self.channel: Channel[bytes] = Channel(address, core, self.heard.extend, self.ends.append)


class Lines(Protocol):
    """Makes a line to an address, with a core of the test's own if it has one."""

    def __call__(self, address: Address, core: Anything | None = ...) -> Line: ...


@pytest.fixture
def line() -> Lines:
    """Makes a line to an address, with a core of the test's own if it has one."""

    def make(address: Address, core: Anything | None = None) -> Line:
        return Line(address, core or Anything())

    return make


@pytest.fixture
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a socket may be: tmp_path can be longer than the kernel takes."""
    return tmp_path_factory.mktemp("s") / "sock"


@pytest.fixture
def listener(path: Path) -> Iterator[socket.socket]:
    """A unix socket that listens for two clients and accepts nobody by itself."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
        sock.listen(1)
        sock.setblocking(False)
        yield sock


@pytest.fixture
def tcp_listener() -> Iterator[socket.socket]:
    """The same over TCP, on a port of the kernel's choice."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as sock:
        sock.setblocking(False)
        yield sock

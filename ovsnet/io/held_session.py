"""What every client's session is: one held connection, with the peer at its other end and the reason of its end."""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Self

from ovsnet.errors import PeerError
from ovsnet.io.address import Address
from ovsnet.io.connect import connect
from ovsnet.io.ending import Ending
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Channel


class HeldSession:
    """One connection over ``channel``. A session that is lost stays lost: open another.

    Leaving ``async with`` closes it.
    """

    def __init__(self, channel: Channel[Any]) -> None:
        self.channel = channel
        self._tls: Tls | None = None
        self._files: tuple[object, ...] | None = None

    @property
    def address(self) -> Address:
        """Where the peer listens."""
        return self.channel.address

    @property
    def peer_pid(self) -> int | None:
        """The peer's pid, when it runs where we can see it."""
        return self.channel.peer_pid

    @property
    def heard_at(self) -> float:
        """When the peer's last bytes came, in ``time.monotonic``."""
        return self.channel.heard_at

    @property
    def closed(self) -> Ending:
        """Done, with the reason, when the connection is over."""
        return self.channel.closed

    @property
    def patient(self) -> bool:
        """Whether a request is under way that bounds the peer's silence itself. An ovsdb-server that composes a large
        snapshot answers no echo."""
        return False

    async def open(self, *, timeout: float, tls: Tls | None = None) -> None:
        """Connect within ``timeout`` seconds, once. Raises the ConnectError that fits."""
        await connect(self.channel, timeout=timeout, tls=tls)
        self._tls, self._files = tls, _files_of(self.address, tls)

    @property
    def named(self) -> bool:
        """Whether a new client would be led to this peer, in the same way. False once the file of its unix socket was
        removed or replaced, or a TLS file of ours was renewed, while this connection goes on."""
        return self._files is None or self._files == _files_of(self.address, self._tls)

    def fail(self, error: PeerError) -> None:
        """End the connection for a fault of the peer's. Every request raises ``error`` from now on."""
        self.channel.abort(error)

    async def aclose(self) -> None:
        """Close, and wait until the connection is gone."""
        await self.channel.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


def _files_of(address: Address, tls: Tls | None) -> tuple[object, ...]:
    if address.scheme == "unix":
        return (_inode(address.path),)
    if address.scheme == "ssl" and tls is not None:
        return tuple(_written(path) for path in (tls.key, tls.certificate, tls.ca))
    return ()


def _inode(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _written(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns

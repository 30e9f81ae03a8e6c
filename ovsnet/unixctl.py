"""The control socket that every OVS and OVN daemon has: what ``ovs-appctl`` talks to.

The daemons serve it from their main loop, so an answer also proves that the loop turns. One connection serves any
number of commands (lib/unixctl.c, ``run_connection``).
"""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

import msgspec

from ovsnet.errors import PeerError, UnixctlRefused
from ovsnet.io.address import Address
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.protocol.jsonrpc import decode_body

_TEXT = msgspec.json.Decoder(str)

MAX_ANSWER = 16 << 20
"""Bytes. ``dpctl/dump-flows`` of a busy switch has megabytes; nothing that ovsnet asks for comes near."""


class Session:
    """A held control connection. Use as ``async with await connect(address) as session``."""

    def __init__(self, rpc: JsonRpcSession) -> None:
        self._rpc = rpc

    @property
    def peer_pid(self) -> int | None:
        """The daemon's pid, when it runs where we can see it."""
        return self._rpc.channel.peer_pid

    @property
    def heard_at(self) -> float:
        """When the peer's last bytes came, in ``time.monotonic``."""
        return self._rpc.channel.heard_at

    @property
    def closed(self) -> asyncio.Future[PeerError]:
        """Done, with the reason, when the connection is over."""
        return self._rpc.closed

    async def call(self, command: str, *arguments: str, timeout: float = 1.0) -> str:
        """Run one command and return what it prints.

        Raises UnixctlRefused with the daemon's own words, DeadlineExceeded after ``timeout`` seconds, ConnectionLost,
        ProtocolError.
        """
        raw = await self._rpc.call(command, arguments, timeout=timeout)
        return decode_body(raw, _TEXT)

    async def aclose(self) -> None:
        """Close, and wait until the connection is gone."""
        await self._rpc.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()


async def connect(address: Address, *, timeout: float = 1.0) -> Session:
    """Open a control connection within ``timeout`` seconds. Raises the ConnectError that fits."""
    rpc = JsonRpcSession(address, max_bytes=MAX_ANSWER, refusal=_refusal)
    await rpc.connect(timeout=timeout)
    return Session(rpc)


def _refusal(error: object) -> UnixctlRefused:
    return UnixctlRefused(str(error).strip().replace("\n", " "))

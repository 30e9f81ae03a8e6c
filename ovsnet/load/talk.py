"""What a client of each protocol says to learn that the daemon lives, and what counts as the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

from ovsnet import openflow, ovsdb, unixctl
from ovsnet.address import Address
from ovsnet.errors import PeerError
from ovsnet.protocol import jsonrpc
from ovsnet.protocol import openflow as wire
from ovsnet.tls import Tls
from ovsnet.transport import Core

Name = Literal["openflow", "ovsdb", "unixctl"]


class Talk(Protocol):
    """One connection's end of the conversation."""

    @property
    def core(self) -> Core[Any]:
        """The sans-IO protocol; what it has to send goes first."""
        ...

    def ask(self, times: int) -> bytes:
        """The bytes of so many requests."""
        ...

    def answers(self, events: Sequence[Any]) -> int:
        """How many of these events answer a request of ours."""
        ...


class OpenFlowTalk:
    """HELLO, and ECHO without a payload: what costs the switch least.

    An ECHO may follow our HELLO at once, in any version (lib/vconn.c, ``vconn_recv``).
    """

    _REQUEST = wire.echo_request(wire.Version.OF13, xid=1)

    def __init__(self) -> None:
        self.core = wire.Connection()

    def ask(self, times: int) -> bytes:
        return self._REQUEST * times

    def answers(self, events: Sequence[wire.Event]) -> int:
        return sum(type(event) is wire.Message and event.type == wire.MessageType.ECHO_REPLY for event in events)


class RpcTalk:
    """One method without parameters. A refusal is an answer too: whoever refuses lives."""

    def __init__(self, method: str) -> None:
        self.core = jsonrpc.Connection(max_bytes=1 << 20)
        self._method = method

    def ask(self, times: int) -> bytes:
        for _ in range(times):
            self.core.request(self._method, ())
        return self.core.data_to_send()

    def answers(self, events: Sequence[jsonrpc.Event]) -> int:
        return sum(isinstance(event, jsonrpc.Reply | jsonrpc.ErrorReply) for event in events)


TALKS: dict[Name, Callable[[], Talk]] = {
    "openflow": OpenFlowTalk,
    "ovsdb": lambda: RpcTalk("echo"),
    "unixctl": lambda: RpcTalk("version"),
}


class Held(Protocol):
    """A connection to keep: it knows the daemon's pid, and its end is the daemon's."""

    @property
    def peer_pid(self) -> int | None: ...

    @property
    def closed(self) -> asyncio.Future[PeerError]: ...

    async def aclose(self) -> None: ...


async def hold(name: Name, address: Address, *, timeout: float, tls: Tls | None = None) -> Held:
    """Open one, and prove that the daemon answers. Raises PeerError."""
    match name:
        case "openflow":
            return await openflow.connect(address, timeout=timeout, tls=tls)
        case "ovsdb":
            session = await ovsdb.connect(address, timeout=timeout, tls=tls)
            await session.echo(timeout=timeout)
            return session
        case "unixctl":
            return await unixctl.connect(address, timeout=timeout)

"""What a client of each protocol says to learn that the daemon lives, and what counts as the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from ovsnet import openflow, ovsdb, unixctl
from ovsnet.io.address import Address
from ovsnet.io.ending import Ending
from ovsnet.io.tls import Tls
from ovsnet.io.transport import Core
from ovsnet.protocol import jsonrpc
from ovsnet.protocol import openflow as wire
from ovsnet.protocol.openflow.message import pack_message

ProtocolName = Literal["openflow", "ovsdb", "unixctl"]


class ProbeProtocol(Core[int], Protocol):
    """One connection's end of the conversation: a sans-IO core whose events are numbers of requests that were
    answered."""

    def ask(self, times: int) -> bytes:
        """The bytes of so many requests."""
        ...


class OpenFlowProbe:
    """HELLO, and ECHO without a payload: what costs the switch least.

    An ECHO may follow our HELLO at once, in any version (lib/vconn.c, ``vconn_recv``).
    """

    _REQUEST = wire.echo_request(wire.Version.OF13, xid=1)
    _REPLY = pack_message(wire.Version.OF13, wire.MessageType.ECHO_REPLY, 1)

    def __init__(self) -> None:
        self._connection = wire.Connection()

    def ask(self, times: int) -> bytes:
        return self._REQUEST * times

    def receive_data(self, data: bytes) -> Sequence[int]:
        """All our requests are alike, so that bytes which are nothing but their replies need not be taken apart: to
        count an answer costs less than the switch spends on giving it."""
        times = len(data) // len(self._REPLY)
        if self._between_messages and data == self._REPLY * times:
            return (times,)
        try:
            return _echo_replies(self._connection.receive_data(data))
        except wire.OpenFlowProtocolError as error:
            error.events = _echo_replies(error.events)
            raise

    @property
    def _between_messages(self) -> bool:
        return self._connection.version is not None and not self._connection.pending_bytes

    def data_to_send(self) -> bytes:
        return self._connection.data_to_send()

    def eof_received(self) -> None:
        self._connection.eof_received()


def _echo_replies(events: Sequence[object]) -> Sequence[int]:
    return [1 for event in events if type(event) is wire.Message and event.type == wire.MessageType.ECHO_REPLY]


class JsonRpcProbe:
    """One method without parameters. A refusal is an answer too: it proves life."""

    def __init__(self, method: str) -> None:
        self._connection = jsonrpc.Connection(max_bytes=1 << 20)
        self._method = method

    def ask(self, times: int) -> bytes:
        for _ in range(times):
            self._connection.request(self._method, ())
        return self._connection.data_to_send()

    def receive_data(self, data: bytes) -> Sequence[int]:
        events = self._connection.receive_data(data)
        return [1 for event in events if isinstance(event, jsonrpc.Reply | jsonrpc.ErrorReply)]

    def data_to_send(self) -> bytes:
        return self._connection.data_to_send()

    def eof_received(self) -> None:
        self._connection.eof_received()


PROTOCOLS: dict[ProtocolName, Callable[[], ProbeProtocol]] = {
    "openflow": OpenFlowProbe,
    "ovsdb": lambda: JsonRpcProbe("echo"),
    "unixctl": lambda: JsonRpcProbe("version"),
}


class HeldConnection(Protocol):
    """A connection to keep: it knows the daemon's pid, and its end is the daemon's."""

    @property
    def peer_pid(self) -> int | None: ...

    @property
    def closed(self) -> Ending: ...

    async def aclose(self) -> None: ...


async def hold(name: ProtocolName, address: Address, *, timeout: float, tls: Tls | None = None) -> HeldConnection:
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

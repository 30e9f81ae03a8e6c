"""The control socket that every OVS and OVN daemon has: what ``ovs-appctl`` talks to.

The daemons serve it from their main loop, so an answer also proves that the loop turns. One connection serves any
number of commands (lib/unixctl.c, ``run_connection``).

    async with connect("unix:/run/openvswitch/ovs-vswitchd.123.ctl") as session:
        print(await session.call("coverage/show"))
"""

from __future__ import annotations

import msgspec

from ovsnet.errors import ProtocolError, ProtocolFlood, UnixctlRefused
from ovsnet.io.address import Address
from ovsnet.io.deadline import require_seconds
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.opening import Opening
from ovsnet.protocol.jsonrpc import decode_body
from ovsnet.texts import for_line

_TEXT = msgspec.json.Decoder(str)

MAX_OTHER = 1 << 16
"""Bytes of an answer that is not text: a mistake up to there, an attack above."""

MAX_ANSWER = 16 << 20
"""Bytes. ``dpctl/dump-flows`` of a busy switch has megabytes; nothing that ovsnet asks for comes near."""


class Session(JsonRpcSession):
    """A control connection. Use as ``async with connect(address) as session``."""

    def __init__(self, address: Address) -> None:
        super().__init__(address, max_bytes=MAX_ANSWER, refusal=self._refusal)
        self.program = ""
        """What runs at the other end, such as ``ovn-controller 23.03.1``; empty until ``version`` has asked."""

    async def call(self, command: str, *arguments: str, timeout: float = 1.0) -> str:
        """Run one command and return what it prints.

        Raises UnixctlRefused with the daemon's own words, DeadlineExceeded after ``timeout`` seconds, ConnectionLost,
        ProtocolError.
        """
        body = await self.request(command, arguments, timeout=timeout)
        try:
            return decode_body(body, _TEXT)
        except ProtocolError as error:
            located = ProtocolError(f"{self.address}: {error}")
            # It would answer the next question in the same way, at the same cost.
            large = memoryview(body).nbytes > MAX_OTHER
            self.fail(ProtocolFlood(f"{self.address} answers with megabytes that are not text.") if large else located)
            raise located from error

    async def version(self, *, timeout: float = 1.0) -> str:
        """The program and its version, as it says them in its first line. Asked once: one connection is of one
        process. Raises as ``call`` does."""
        if not self.program:
            self.program = for_line((await self.call("version", timeout=timeout)).partition("\n")[0])
        return self.program

    def _refusal(self, error: object) -> UnixctlRefused:
        words = str(error).strip().replace("\n", " ")
        return UnixctlRefused(f"{self.address} refused: {words.rstrip('.') or 'no reason given'}.")


def connect(address: Address | str, *, timeout: float = 1.0) -> Opening[Session]:
    """Open a control connection within ``timeout`` seconds. Await what this returns, or enter it with ``async with``.

    Raises AddressError at once for a text that is not an address, and the ConnectError that fits.
    """
    place = Address.of(address)
    require_seconds(timeout)
    return Opening(lambda: _open(place, timeout))


async def _open(place: Address, timeout: float) -> Session:
    session = Session(place)
    await session.open(timeout=timeout)
    return session

"""A JSON-RPC session: what OVSDB and unixctl have in common.

The peer's ``echo`` requests are answered by the core; requests of any other method are refused as RFC 7047 section
4.1 asks of a client that offers none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ovsnet.errors import DeadlineExceeded, PeerError, RequestRefused
from ovsnet.io.address import Address
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.held_session import HeldSession
from ovsnet.io.inflow import Inflow
from ovsnet.io.pending import PendingRequests, after_next_poll
from ovsnet.io.transport import Channel
from ovsnet.protocol import jsonrpc
from ovsnet.texts import seconds

OnNotification = Callable[[str, jsonrpc.Body], None]
Refusal = Callable[[Any], RequestRefused]


class JsonRpcSession(HeldSession):
    """Requests may overlap freely. ``refusal`` makes the protocol's own error of what an error reply holds."""

    def __init__(
        self, address: Address, *, max_bytes: int, refusal: Refusal, on_notification: OnNotification | None = None
    ) -> None:
        self._core = jsonrpc.Connection(max_bytes=max_bytes)
        self._pending: PendingRequests[jsonrpc.Body] = PendingRequests(str(address))
        self._patient = 0
        self._refusal = refusal
        self._on_notification = on_notification
        inflow = Inflow(lambda: self._core.messages)
        super().__init__(Channel(address, self._core, self._on_events, self._on_lost, inflow))

    @property
    def patient(self) -> bool:
        """Whether a ``request_patiently`` is under way."""
        return self._patient > 0

    @property
    def arriving(self) -> int:
        """Bytes of a message that has not come whole yet."""
        return self._core.pending_bytes

    async def request(self, method: str, params: Sequence[object], *, timeout: float) -> msgspec.Raw:
        """Send one request and wait at most ``timeout`` seconds for its result, undecoded.

        Raises DeadlineExceeded, ConnectionLost, ProtocolError, or the RequestRefused that the peer's error means.
        """
        return jsonrpc.whole(await (await self._send(method, params, timeout)))

    async def request_patiently(
        self, method: str, params: Sequence[object], *, silence: float, longest: float
    ) -> jsonrpc.Body:
        """As ``request``, for an answer that may be large: arriving bytes prove that the peer is at work. It comes as
        the protocol took it apart.

        It is late after ``silence`` seconds in which nothing came (noticed within twice that), or after ``longest``
        seconds in all. Where one deadline covers connecting and a large snapshot, a client reconnects again and again.
        """
        require_seconds(silence)
        answer = await self._send(method, params, longest)
        self._patient += 1
        try:
            while not answer.done():
                arrived = self.arriving
                await asyncio.wait((answer,), timeout=silence)
                await after_next_poll()
                if not answer.done() and self.arriving == arrived:
                    answer.cancel()
                    raise DeadlineExceeded(f"{self.channel.address} sent nothing for {seconds(silence)}.")
            return answer.result()
        finally:
            self._patient -= 1

    def post(self, method: str, params: Sequence[object]) -> None:
        """Send a request whose answer nobody waits for. Does nothing when the session is over."""
        if self.channel.lost is None:
            self._core.request(method, params)
            self.channel.flush()
            self.channel.asked()

    async def ready(self, timeout: float) -> float:
        """Return when a request can be sent: at once, but for a peer that does not read. Gives the seconds that are
        left then. Raises why it cannot."""
        if (lost := self.channel.lost) is not None:
            raise lost.with_traceback(None)
        if not self.channel.congested:
            return require_seconds(timeout)
        deadline = Deadline(timeout)
        await self.channel.room(timeout)
        return deadline.left

    def ask(self, method: str, params: Sequence[object], timeout: float) -> tuple[int, asyncio.Future[jsonrpc.Body]]:
        """Send a request now, and give its id and its answer. ``ready`` comes first."""
        require_seconds(timeout)
        number = self._core.request(method, params)
        answer = self._pending.open(number, timeout)
        self.channel.flush()
        self.channel.asked()
        return number, answer

    def notify(self, method: str, params: Sequence[object]) -> None:
        """Send what has no answer. Does nothing when the session is over."""
        if self.channel.lost is None:
            self._core.notify(method, params)
            self.channel.flush()

    async def _send(self, method: str, params: Sequence[object], timeout: float) -> asyncio.Future[jsonrpc.Body]:
        return self.ask(method, params, await self.ready(timeout))[1]

    def _on_events(self, events: Sequence[jsonrpc.Event]) -> None:
        for event in events:
            match event:
                case jsonrpc.Reply():
                    self._pending.answer(event.id, event.result)
                case jsonrpc.ErrorReply():
                    self._pending.refuse(event.id, self._refusal(event.error))
                case jsonrpc.Notification():
                    self._notified(event)
                case jsonrpc.Request():
                    self._core.refuse(event.id, "unknown method")
                    self.channel.answer()

    def _notified(self, event: jsonrpc.Notification) -> None:
        if self._on_notification is None:
            return
        try:
            self._on_notification(event.method, event.params)
        except PeerError as error:
            self.fail(error)

    def _on_lost(self, error: PeerError) -> None:
        self._pending.fail_all(error)

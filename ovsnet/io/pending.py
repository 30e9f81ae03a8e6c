"""Requests that wait for their answers, each under its key and with its deadline.

The key is what the protocol pairs a request with its reply by: an OpenFlow xid, a JSON-RPC id.

Rule: a request is late only when a read was tried after its deadline. While our own process was held up, the answer may
have arrived and wait in the socket; OVS learned the same (python/ovs/reconnect.py, ``last_receive_attempt``). So a
deadline that passed is judged one poll of the event loop later, when every byte that had arrived by then was handed
over.

Deadlines are kept in ``time.monotonic``: uvloop's own clock does not advance within a pass of the loop, so that a
deadline made after a long callback would lie in the past.

One timer serves all requests of a connection: a timer for each would cost as much as the request.
"""

from __future__ import annotations

import asyncio
import time
from typing import Generic, TypeVar

from ovsnet.errors import DeadlineExceeded, PeerError
from ovsnet.io.deadline import require_seconds
from ovsnet.texts import seconds

Answer = TypeVar("Answer")


SILENT = "It hangs or is busy: `ovsnet check` shows which, of a daemon of this node."
"""What to do about a peer that took a request."""


class PendingRequests(Generic[Answer]):
    """The requests of one connection that wait for their answers. ``peer`` names it in errors."""

    def __init__(self, peer: str) -> None:
        self._peer = peer
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, tuple[asyncio.Future[Answer], float, float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, key: int, timeout: float) -> asyncio.Future[Answer]:
        """A future for the answer to ``key``. It fails with DeadlineExceeded after ``timeout`` seconds."""
        deadline = time.monotonic() + require_seconds(timeout)
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting[key] = (future, deadline, timeout)
        if self._timer is None or deadline < self._timer_at:
            self._arm(deadline)
        return future

    def answer(self, key: int, value: Answer) -> bool:
        """Hand over an answer. False when nobody waits for it: it is late, or was never asked for."""
        request = self._waiting.pop(key, None)
        if request is None:
            return False
        if not request[0].done():
            request[0].set_result(value)
        return True

    def refuse(self, key: int, error: PeerError) -> bool:
        """Fail one request. False when nobody waits for it."""
        request = self._waiting.pop(key, None)
        if request is None:
            return False
        _fail(request[0], error)
        return True

    def forget(self, key: int) -> None:
        """Nobody waits for it any more, whether an answer came or not."""
        self._waiting.pop(key, None)

    def fail_all(self, error: PeerError) -> None:
        """The connection is over: nobody will answer."""
        requests, self._waiting = self._waiting, {}
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for future, _, _ in requests.values():
            _fail(future, error)

    def _arm(self, at: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = at
        self._timer = self._loop.call_later(max(at - time.monotonic(), 0.0), self._passed)

    def _passed(self) -> None:
        # A callback made by a callback runs after the next poll on both asyncio and uvloop; one hop alone may still
        # run before it.
        self._timer = None
        due = time.monotonic()
        self._loop.call_soon(self._loop.call_soon, self._judge, due)

    def _judge(self, due: float) -> None:
        late = [key for key, (_, deadline, _) in self._waiting.items() if deadline <= due]
        for key in late:
            future, _, timeout = self._waiting.pop(key)
            silence = f"{self._peer} gave no answer within {seconds(timeout)}."
            _fail(future, DeadlineExceeded(silence, remedy=SILENT))
        if self._waiting:
            earliest = min(deadline for _, deadline, _ in self._waiting.values())
            if self._timer is None or earliest < self._timer_at:
                self._arm(earliest)


async def after_next_poll() -> None:
    """Return when the loop has polled once more: what had arrived by now was handed over."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def _fail(future: asyncio.Future[Answer], error: PeerError) -> None:
    if future.done():
        return
    future.set_exception(error)
    # The waiter may have been cancelled already; then nobody fetches the error, and asyncio should not log that.
    future.exception()

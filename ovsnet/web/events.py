"""``/events``: each change as a server-sent event (HTML Living Standard, section 9.2).

    event: status      the whole document, first
    event: result      a check's new status or reason, as in the document's "checks"
    event: diagnosis   the new diagnosis, as in the document
    event: beat        the agent's clock and the last round trips, when there was nothing else for two seconds: a client
                       that hears nothing for longer knows that the agent is gone or blocked

A browser connects again by itself when the stream ends, and begins with the document: so a client that falls behind is
cut, and nothing is remembered for any client.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp.web_request import BaseRequest
from aiohttp.web_response import StreamResponse

from ovsnet.agent.agent import Agent
from ovsnet.health.state import Change
from ovsnet.texts import json_of
from ovsnet.web import pages

RECHECK = 1.0
"""Seconds between two checks whether this agent still is the one that answers."""

BEAT_AFTER = 2
"""Checks without an event after which a beat shows that we are alive."""

FAR_BEHIND = 1000
"""Events that wait to be sent: more than any storm of changes makes within the seconds that a client has."""

_RETRY = b"retry: 1000\n\n"


class EventStream(StreamResponse):
    """One client's stream, until the agent ends or is exchanged."""

    def __init__(self, agent: Agent, headers: dict[str, str]) -> None:
        super().__init__(headers={**headers, "Content-Type": "text/event-stream; charset=utf-8"})
        self._agent = agent
        self._changes: asyncio.Queue[bytes] = asyncio.Queue(FAR_BEHIND)
        self._idle = 0
        self._is_behind = False

    async def run(self, request: BaseRequest, patience: float, taken: Callable[[BaseRequest], None]) -> None:
        """Send events until the client or the agent is gone; call ``taken`` each time the client is up to date.

        Raises TimeoutError when it lets a write wait for ``patience`` seconds, and ConnectionError when it goes
        meanwhile.
        """
        forget = self._agent.subscribe(self._hear)
        try:
            async with asyncio.timeout(patience):
                await self.prepare(request)
                await self.write(_RETRY + _event("status", pages.status(self._agent)))
            while request.transport is not None and self._agent.answers and not self._is_behind:
                await self._send(await self._next(), patience)
                taken(request)
        finally:
            forget()

    def _hear(self, change: Change) -> None:
        try:
            for name, document in self._agent.change_document(change).items():
                self._changes.put_nowait(event(name, document))
        except asyncio.QueueFull:
            self._is_behind = True

    async def _next(self) -> bytes:
        try:
            async with asyncio.timeout(RECHECK):
                found = await self._changes.get()
        except TimeoutError:
            self._idle += 1
            return event("beat", self._agent.beat_document()) if self._idle % BEAT_AFTER == 0 else b""
        self._idle = 0
        return found

    async def _send(self, data: bytes, patience: float) -> None:
        if data:
            async with asyncio.timeout(patience):
                await self.write(data)


def event(name: str, document: object) -> bytes:
    """One event. JSON has no line breaks of its own, so that one data line holds it."""
    return _event(name, json_of(document))


def _event(name: str, encoded: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), encoded)

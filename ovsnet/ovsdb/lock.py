"""Locks (RFC 7047 sections 4.1.8 to 4.1.10): of all sessions that ask for a name, one holds it.

A lock keeps nobody from writing: a transaction that depends on it says so, with ``assert_lock``.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from ovsnet.errors import DeadlineExceeded, PeerError
from ovsnet.io.ending import Ending
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb.errors import LockStolen


class Unlocks(Protocol):
    """The session of a lock."""

    async def unlock(self, name: str, *, timeout: float = ...) -> None: ...


class Lock:
    """A lock that was asked for. ``lost`` is done, with the reason, once it was held and then stolen, or the session
    ended; the server may give it back after a theft, and then it is ``held`` again."""

    def __init__(self, name: str, session: Unlocks) -> None:
        self.name = name
        self.held = False
        self.lost = Ending()
        self._session = session
        self._news = asyncio.Event()
        self._ended: PeerError | None = None

    async def acquired(self, *, timeout: float) -> None:
        """Return when it is held. Raises DeadlineExceeded after ``timeout`` seconds, or why the session ended; the
        request stays in the server's queue until ``release``."""
        try:
            async with asyncio.timeout(timeout):
                while not self.held:
                    if self._ended is not None:
                        raise self._ended.with_traceback(None)
                    await self._news.wait()
        except TimeoutError:
            await after_next_poll()
            if not self.held:
                raise DeadlineExceeded(f"Another client held the lock {self.name} for {timeout:g} s.") from None

    async def release(self, *, timeout: float = 1.0) -> None:
        """Give it up, or stop waiting for it. Nothing happens when the session is over."""
        self.held = False
        if self._ended is None:
            await self._session.unlock(self.name, timeout=timeout)

    # What the session calls.

    def granted(self) -> None:
        """It is ours."""
        self.held = True
        self._wake()

    def stolen(self) -> None:
        """Another client took it."""
        self._lose(LockStolen(f"Another client has stolen the lock {self.name}."))

    def end(self, error: PeerError) -> None:
        """The session is over, and with it the lock."""
        self._ended = error
        self._lose(error)

    def _lose(self, error: PeerError) -> None:
        if self.held:
            self.lost.come(error)
        self.held = False
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news.clear()

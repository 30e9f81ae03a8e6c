"""What a session holds until its readers take it, within bounds: a reader that is slow never stops the session."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from ovsnet.errors import PeerError, ProtocolError
from ovsnet.io.address import Address
from ovsnet.protocol import openflow as wire

Item = TypeVar("Item")

MAX_UNREAD_PARTS = 256 << 20
"""Bytes of one reply. A switch composes its reply to a dump at once, whether we read or not."""


class Parts:
    """The parts of one multipart reply, until the last of them came. Its reader may leave before that."""

    def __init__(self, address: Address) -> None:
        self.waiting: deque[wire.Message] = deque()
        self.finished = False
        self.error: PeerError | None = None
        self._address = address
        self._bytes_waiting = 0
        self._left = False

    def add(self, part: wire.Message) -> None:
        """It came. Once the reply has failed, or its reader has left, the rest of it is dropped."""
        self.finished = wire.is_last_part(part)
        if self._left or self.error is not None:
            return
        self.waiting.append(part)
        self._bytes_waiting += len(part.body)
        if self._bytes_waiting > MAX_UNREAD_PARTS:
            self.error = ProtocolError(f"{self._address} sends flows faster than they are read.")

    def refuse(self, error: PeerError) -> None:
        """The switch ended it with an error."""
        self.error, self.finished = self.error or error, True

    def take(self) -> wire.Message:
        """The oldest."""
        part = self.waiting.popleft()
        self._bytes_waiting -= len(part.body)
        return part

    def leave(self) -> None:
        """Nobody reads it any more."""
        self._left = True
        self.waiting.clear()

    @property
    def is_over(self) -> bool:
        """Whether nothing of it will come that anybody could want."""
        return self.finished and self._left


class Unread(Generic[Item]):
    """What came unasked for one reader: at most ``most``, counted by ``size``."""

    def __init__(self, address: Address, most: int, size: Callable[[Item], int] = lambda item: 1) -> None:
        self._address = address
        self._most = most
        self._size = size
        self._held = 0
        self._waiting: deque[Item] = deque()
        self._error: PeerError | None = None
        self._news = asyncio.Event()

    def add(self, item: Item) -> bool:
        """It came. False once there was too much: then nothing is taken any more."""
        if self._error is not None:
            return False
        self._waiting.append(item)
        self._held += self._size(item)
        self._news.set()
        if self._held > self._most:
            self.end(ProtocolError(f"{self._address} sends changes faster than they are read."))
        return True

    def end(self, error: PeerError) -> None:
        """Nothing comes any more; ``error`` is raised when what came before has been read."""
        self._error = self._error or error
        self._news.set()

    async def next(self) -> Item:
        """The oldest, as soon as there is one. Raises why there will be none."""
        while not self._waiting:
            if self._error is not None:
                raise self._error.with_traceback(None)
            self._news.clear()
            await self._news.wait()
        item = self._waiting.popleft()
        self._held -= self._size(item)
        return item

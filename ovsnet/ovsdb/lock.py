"""Locks (RFC 7047 sections 4.1.8 to 4.1.10): of all sessions that ask for a name, one holds it.

A lock keeps nobody from writing: a transaction that depends on it says so, with ``assert_lock``.

lock = await session.lock("name")                 it is asked for, and perhaps held; the caller releases it
async with session.lock("name") as lock: ...      it is held; leaving the block releases it
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Callable
from types import TracebackType
from typing import Self

from ovsnet.errors import DeadlineExceeded, PeerError, UsageError
from ovsnet.io.deadline import Deadline, require_seconds
from ovsnet.io.ending import Ending
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb.errors import LockReleased, LockStolen, Refused
from ovsnet.protocol.jsonrpc import Body
from ovsnet.texts import seconds


class Lock:
    """A lock that was asked for. ``lost`` is done, with the reason, once it was stolen or released, or the session
    ended; the server may give it back after a theft, and then it is ``held`` again.

    Entering it waits until it is held, for what is left of the ``timeout`` that it was asked for with. Leaving the
    block releases it, and raises why it was lost before.
    """

    def __init__(self, name: str, locks: Locks, deadline: Deadline) -> None:
        self.name = name
        self.held = False
        self.lost = Ending()
        self._locks = locks
        self._deadline = deadline
        self._news = asyncio.Event()
        self._over: PeerError | None = None

    async def acquired(self, *, timeout: float) -> None:
        """Return when it is held. Raises DeadlineExceeded after ``timeout`` seconds, or why it never will be; the
        request stays in the server's queue until ``release``."""
        try:
            async with asyncio.timeout(require_seconds(timeout)):
                while not self.held:
                    if self._over is not None:
                        raise self._over.with_traceback(None)
                    await self._news.wait()
        except TimeoutError:
            await after_next_poll()
            if not self.held:
                raise DeadlineExceeded(f"Another client held the lock {self.name} for {seconds(timeout)}.") from None

    async def release(self, *, timeout: float = 1.0) -> None:
        """Give it up, or stop waiting for it. Nothing happens when that was done, or when the session is over."""
        require_seconds(timeout)
        if self.give_up():
            await self._locks.unlock(self.name, timeout=timeout)

    def abandon(self) -> None:
        """The same at once: the server's answer is not waited for."""
        if self.give_up():
            self._locks.post_unlock(self.name)

    async def __aenter__(self) -> Self:
        try:
            await self.acquired(timeout=self._deadline.left)
        except BaseException:
            self.abandon()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        lost = self.lost.result() if self.lost.done() else None
        with contextlib.suppress(PeerError):
            await self.release()
        if lost is not None and error is None and not isinstance(lost, LockReleased):
            raise lost.with_traceback(None)

    # What the session calls.

    def give_up(self) -> bool:
        """It is not wanted any more. Whether the server has to hear of that."""
        wanted = self._over is None
        self.end(LockReleased(f"The lock {self.name} was released by its owner."))
        return wanted and self._locks.forget(self)

    def granted(self) -> None:
        """It is ours."""
        self.held = True
        self._wake()

    def stolen(self) -> None:
        """Another client took it."""
        self._lose(LockStolen(f"Another client has stolen the lock {self.name}."))

    def end(self, error: PeerError) -> None:
        """It is over: with its session, or by our own wish."""
        self._over = self._over or error
        self._lose(error)

    def _lose(self, error: PeerError) -> None:
        self.held = False
        self.lost.come(error)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news.clear()


class Locks:
    """All that one session has asked for and not given up, by name: the server takes one request for a name at a time.

    A notification may come in one piece with the answer before it, and is then handed over before the task that asked
    goes on; or it is about an earlier request for the same name. So an answer that has come is heard first, and a
    notification before the answer means nothing. ``read`` tells from an answer whether the lock is ours.
    """

    def __init__(self, session: JsonRpcSession, read: Callable[[Body], bool]) -> None:
        self._session = session
        self._read = read
        self._locks: dict[str, Lock] = {}
        self._unheard: dict[str, asyncio.Future[Body]] = {}

    async def ask(self, name: str, *, steal: bool, timeout: float) -> Lock:
        """Queue for it, or steal it. A request that was given up is taken back: nobody would ever release what the
        server grants it."""
        _require_id(name)
        deadline = Deadline(timeout)
        left = await self._session.ready(timeout)
        if name in self._locks:
            raise UsageError(
                f"This connection has asked for the lock {name} already.",
                remedy="Release it first, or take a name or a connection of its own.",
            )
        _, answer = self._session.ask("steal" if steal else "lock", (name,), left)
        lock = self._locks[name] = Lock(name, self, deadline)
        self._unheard[name] = answer
        try:
            await answer
            self._hear(lock)
        except BaseException as error:
            if self.forget(lock) and not isinstance(error, Refused):
                self.post_unlock(name)
            raise
        return lock

    async def unlock(self, name: str, *, timeout: float) -> None:
        """Sent at once, whether the peer reads or not: it must not be lost when the caller is cancelled."""
        if self._session.channel.lost is None:
            await self._session.ask("unlock", (name,), timeout)[1]

    def post_unlock(self, name: str) -> None:
        """The same, without waiting for the answer."""
        self._session.post("unlock", (name,))

    def get(self, name: str) -> Lock | None:
        """The one that was asked for, if any."""
        return self._locks.get(name)

    def forget(self, lock: Lock) -> bool:
        """It is not wanted any more. False when it was forgotten before."""
        if self._locks.get(lock.name) is not lock:
            return False
        del self._locks[lock.name]
        self._unheard.pop(lock.name, None)
        return True

    def notified(self, method: str, name: str) -> None:
        """``locked`` or ``stolen``."""
        lock = self._locks.get(name)
        if lock is None or (name in self._unheard and not self._unheard[name].done()):
            return
        self._hear(lock)
        if method == "locked":
            lock.granted()
        else:
            lock.stolen()

    def end(self, error: PeerError) -> None:
        """The session is over."""
        for lock in self._locks.values():
            lock.end(error)

    def _hear(self, lock: Lock) -> None:
        answer = self._unheard.pop(lock.name, None)
        if answer is not None and answer.exception() is None and self._read(answer.result()):
            lock.granted()


_ID = re.compile("[A-Za-z_][A-Za-z0-9_]*")


def _require_id(name: str) -> None:
    """RFC 7047 section 3.1, ``<id>``."""
    if not isinstance(name, str) or not _ID.fullmatch(name):
        raise UsageError(
            f"{name!r} is not a valid name for a lock.",
            remedy="Use letters, digits and underscores, and begin with no digit.",
        )

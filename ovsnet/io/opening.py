"""A connection that is about to be made: wait for it, or enter it.

session = await connect(...)                 the caller closes it
async with connect(...) as session: ...      leaving the block closes it
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, TypeVar

from ovsnet.io.held_session import HeldSession

Session = TypeVar("Session", bound=HeldSession)


class Opening(Generic[Session]):
    """``open_session`` connects; nothing happens before it is awaited."""

    def __init__(self, open_session: Callable[[], Coroutine[Any, Any, Session]]) -> None:
        self._open_session = open_session
        self._session: Session | None = None

    def __await__(self) -> Generator[Any, None, Session]:
        return self._open_session().__await__()

    async def __aenter__(self) -> Session:
        self._session = await self._open_session()
        return self._session

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.aclose()

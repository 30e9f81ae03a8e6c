"""What is about to be made at a peer's, such as a connection: wait for it, or enter it.

session = await connect(...)                 the caller closes it
async with connect(...) as session: ...      leaving the block closes it
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar


class Held(Protocol):
    """What ends with its block: a session, a monitor, a lock."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None: ...


Opened = TypeVar("Opened", bound=Held)


class Opening(Generic[Opened]):
    """``make`` asks the peer for it; nothing happens before this is awaited."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Opened]]) -> None:
        self._make = make
        self._made: Opened | None = None

    def __await__(self) -> Generator[Any, None, Opened]:
        return self._make().__await__()

    async def __aenter__(self) -> Opened:
        self._made = await (await self._make()).__aenter__()
        return self._made

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._made is not None:
            await self._made.__aexit__(kind, error, traceback)

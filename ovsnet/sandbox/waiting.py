"""Wait for facts, and do independent things together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import anyio

from ovsnet.errors import DeadlineExceeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.02
"""Seconds between two checks. One costs some 50 us, and a daemon is up after a few milliseconds or not for long."""


async def until(fact: Callable[[], T | None], timeout: float, late: str) -> T:
    """What ``fact`` returns as soon as it is neither None nor False. ``timeout`` is in seconds.

    Raises DeadlineExceeded with the sentence ``late``, but never without one more check after the deadline: if our own
    loop was held up, the fact may be there by now.
    """
    deadline = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        expired = time.monotonic() >= deadline
        found = fact()
        if found is not None and found is not False:
            return found
        if expired:
            raise DeadlineExceeded(late)
        await anyio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


async def together(*calls: Callable[[], Awaitable[object]]) -> None:
    """Run them at once. The first error stops the others and is raised by itself, not in a group."""
    failure: Exception | None = None
    try:
        async with anyio.create_task_group() as group:
            for call in calls:
                group.start_soon(_run, call)
    except ExceptionGroup as errors:
        failure = errors.exceptions[0]
    if failure is not None:
        raise failure


async def _run(call: Callable[[], Awaitable[object]]) -> None:
    await call()

"""The end of a connection, or of what lives on one.

Any number of tasks may await it, with any timeout. A bare ``asyncio.Future`` would be cancelled along with the first of
them that is given up (``asyncio.wait_for``, ``asyncio.timeout``, a task group), and then the end could not be reported
to anybody any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from ovsnet.errors import PeerError

OnEnd: TypeAlias = Callable[[asyncio.Future[PeerError]], object]
"""Called with a future that is done: its result is the reason."""


class Ending:
    """Await it for the reason. ``done``, ``result`` and ``add_done_callback`` are those of a future."""

    __slots__ = ("_future",)

    def __init__(self) -> None:
        self._future: asyncio.Future[PeerError] = asyncio.get_running_loop().create_future()

    def __await__(self) -> Generator[Any, None, PeerError]:
        return asyncio.shield(self._future).__await__()

    def __repr__(self) -> str:
        return f"<Ending: {self.result()}>" if self.done() else "<Ending: not yet>"

    def done(self) -> bool:
        """Whether it is over."""
        return self._future.done()

    def result(self) -> PeerError:
        """The reason. Before the end that is an ``asyncio.InvalidStateError``."""
        return self._future.result()

    def add_done_callback(self, on_end: OnEnd) -> None:
        """Call ``on_end`` in the turn of the event loop that follows the end."""
        self._future.add_done_callback(on_end)

    def remove_done_callback(self, on_end: OnEnd) -> int:
        """Do not call it. Gives how often it was to be called."""
        return self._future.remove_done_callback(on_end)

    def come(self, reason: PeerError) -> bool:
        """It is over now. False when it was over before, and that reason stays."""
        if self._future.done():
            return False
        self._future.set_result(reason)
        return True

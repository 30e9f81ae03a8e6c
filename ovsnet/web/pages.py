"""Answers that take milliseconds to make, kept for a moment: a crowd that asks for one would hold up every probe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable

from ovsnet.agent.agent import Agent
from ovsnet.texts import json_of

REST = 9.0
"""Seconds left to everything else for each second of making one."""

_kept: dict[Hashable, bytes] = {}


def kept(key: Hashable, make: Callable[[], bytes]) -> bytes:
    """The result of ``make``. A request within ``REST`` times the time that it took gets the same result. Needs a
    running loop."""
    page = _kept.get(key)
    if page is None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        page = _kept[key] = make()
        loop.call_later(REST * (loop.time() - began), _kept.pop, key)
    return page


def status(agent: Agent) -> bytes:
    """The status document as JSON; a new one after each change."""
    return kept((agent, agent.changes), lambda: json_of(agent.document()))


def history(agent: Agent) -> bytes:
    """The last hour as JSON; a new one after each change."""
    return kept((agent, agent.changes, "history"), lambda: json_of(agent.history()))

"""What has been broken for longer than a change takes, for checks whose subjects come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Hashable, Mapping
from typing import TypeVar

from ovsnet.node.node import Node

Thing = TypeVar("Thing")


FIRST_LOOKS_APART = 1.5
"""Of ``timeout``, which is a second: within 1.5 s a port follows its pod's device."""


async def lasting(
    node: Node, what: str, look: Callable[[], Awaitable[Mapping[Hashable, Thing]]]
) -> tuple[list[Thing], list[Thing]]:
    """All that ``look`` finds broken, and those of them that have been for ``broken_after``.

    An observer that just came looks twice, for it cannot know what is older. ``what`` names the memory of this check.
    """
    memory = node.lasting[what]
    broken = await look()
    if broken and not memory.looked:
        await asyncio.sleep(FIRST_LOOKS_APART * node.settings.timeout)
        broken = {key: thing for key, thing in (await look()).items() if key in broken}
    now, age = node.clock(), node.settings.broken_after
    memory.look(broken, now)
    return list(broken.values()), [
        thing for key, thing in broken.items() if memory.lasts(key, longer_than=age, now=now)
    ]


def seen_for(node: Node, what: str, broken: Collection[Hashable]) -> Mapping[Hashable, float]:
    """For how many seconds each of these has been so before the eyes of this observer.

    Other than of what is broken, the first look proves nothing here: for a moment it is usual.
    """
    memory, now = node.lasting[what], node.clock()
    if not memory.looked:
        memory.look((), now)
    memory.look(broken, now)
    return {each: memory.age(each, now) for each in broken}


def behind_for(node: Node, what: str, wanted: int, reached: int) -> float:
    """For how many seconds ``reached`` has stayed where it is, short of ``wanted``; 0 when it is there."""
    return seen_for(node, what, [reached] if wanted > reached else []).get(reached, 0.0)

"""What has been broken for longer than a change takes, for checks whose subjects come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import TypeVar

from ovsnet.node.node import Node

Thing = TypeVar("Thing")


async def lasting(
    node: Node, what: str, look: Callable[[], Awaitable[Mapping[Hashable, Thing]]]
) -> tuple[list[Thing], list[Thing]]:
    """All that ``look`` finds broken, and those of them that have been for ``broken_after``.

    Who comes now looks twice, as nobody can tell it what is older. ``what`` names the memory of this check.
    """
    memory = node.lasting[what]
    broken = await look()
    if broken and not memory.looked:
        await asyncio.sleep(node.settings.timeout)
        broken = {key: thing for key, thing in (await look()).items() if key in broken}
    now, age = node.clock(), node.settings.broken_after
    memory.look(broken, now)
    return list(broken.values()), [
        thing for key, thing in broken.items() if memory.lasts(key, longer_than=age, now=now)
    ]


def behind_for(node: Node, what: str, wanted: int, reached: int) -> float:
    """For how many seconds ``reached`` has stayed where it is, short of ``wanted``; 0 when it is there.

    Other than of what is broken, the first look proves nothing here: to be behind for a moment is usual.
    """
    memory, now = node.lasting[what], node.clock()
    if not memory.looked:
        memory.look((), now)
    memory.look([reached] if wanted > reached else [], now)
    return memory.age(reached, now)

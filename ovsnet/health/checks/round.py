"""Ask several checks at once, each as soon as those it needs have answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ovsnet.errors import UsageError
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.declaration import CHECKS, Check
from ovsnet.health.checks.result import Result
from ovsnet.node.node import Node
from ovsnet.texts import likely


def with_needs(names: Iterable[str]) -> list[Check]:
    """The named checks and those they build on, in order of declaration. Raises UsageError for an unknown name."""
    wanted: set[str] = set()
    queue = list(names)
    while queue:
        name = queue.pop()
        if name not in CHECKS:
            raise UsageError(
                f"There is no check {name!r}.", remedy=likely(name, CHECKS, "The checks", "by `ovsnet check`")
            )
        wanted.add(name)
        queue.extend(CHECKS[name].needs)
    return [check for name, check in CHECKS.items() if name in wanted]


async def ask_all(checks: Iterable[Check], node: Node) -> dict[str, Result]:
    """One round. The results are in order of declaration."""
    checks = list(checks)
    results: dict[str, Result] = {}
    answered = {check.name: asyncio.Event() for check in checks}

    async def ask(check: Check) -> None:
        for need in check.needs:
            await answered[need].wait()
        results[check.name] = await run(check, node, results)
        answered[check.name].set()

    # asyncio's own group: with anyio's, a sixth of the CPU of a round went into the group.
    async with asyncio.TaskGroup() as tasks:
        for check in checks:
            tasks.create_task(ask(check))
    return {check.name: results[check.name] for check in checks}

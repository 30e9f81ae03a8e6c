"""What a process holds: tasks, descriptors, memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

LOOKS = 10
"""How often the footprint at rest is looked at. Now and then a visit of ``openflow.accept`` is under way."""


class Footprint:
    """Tasks and descriptors at rest, and whether the process comes back to them."""

    def __init__(self) -> None:
        self.tasks = self.descriptors = 0

    async def take(self, round_of_checks: Callable[[], Awaitable[None]]) -> None:
        """The least of a few looks, each after a round of checks."""
        looks = []
        for _ in range(LOOKS):
            await round_of_checks()
            looks.append((len(asyncio.all_tasks()), descriptors()))
        self.tasks, self.descriptors = min(tasks for tasks, _ in looks), min(held for _, held in looks)

    async def grown(self, until: Callable[[Callable[[], bool]], Awaitable[None]]) -> str:
        """Empty once no more tasks and descriptors are there than at rest; if that does not come, what there is."""
        try:
            await until(lambda: len(asyncio.all_tasks()) <= self.tasks and descriptors() <= self.descriptors)
        except TimeoutError:
            names, held = sorted(task.get_name() for task in asyncio.all_tasks()), sorted(_targets())
            return f"more than {self.tasks} tasks and {self.descriptors} descriptors are there: {names} {held}"
        return ""


def descriptors() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))


def _targets() -> list[str]:
    targets = []
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):  # the one that lists the directory
            targets.append(os.readlink(entry))
    return targets


def resident() -> float:
    """MiB of this process in memory (VmRSS of proc(5))."""
    fields = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines() if ":" in line)
    return int(fields["VmRSS"].split()[0]) / 1024

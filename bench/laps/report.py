"""What a lap says of itself. The standard library does: a peer's interpreter has nothing else of ours."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass

WARM_UP = 0.1
"""A lap first does this share of its work unmeasured: connections are young, caches are cold."""


@dataclass(frozen=True, slots=True)
class Cost:
    """``count`` operations took ``wall`` seconds, and ``cpu`` seconds of this process."""

    count: int
    wall: float
    cpu: float

    @property
    def rate(self) -> float:
        """Operations per second."""
        return self.count / self.wall

    @property
    def wall_us(self) -> float:
        """Microseconds per operation."""
        return self.wall / self.count * 1e6

    @property
    def cpu_us(self) -> float:
        """Microseconds of our CPU per operation."""
        return self.cpu / self.count * 1e6


class Stopwatch:
    """Wall time and CPU time of this process since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def cost(self, count: int) -> Cost:
        """What ``count`` operations cost until now."""
        return Cost(count, time.perf_counter() - self._wall, time.process_time() - self._cpu)


def tell(costs: list[Cost]) -> None:
    """Print them for the runner."""
    sys.stdout.write(json.dumps([asdict(cost) for cost in costs]) + "\n")


def tell_figures(figures: dict[str, float]) -> None:
    """Print figures by name, of a lap that is about more than what operations cost."""
    sys.stdout.write(json.dumps(figures) + "\n")

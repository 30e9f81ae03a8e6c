"""A pod that a kubelet keeps: one container, its probes, its kills and restarts (pkg/kubelet of Kubernetes).

* Probes begin ``delay`` seconds after the container's start, and go every ``period``. A probe takes at most
  ``timeout``; the next is not asked before. A state turns at the n-th equal result in a row.
* A liveness that turns has the container killed: its process gets SIGTERM, and SIGKILL after ``grace`` seconds.
* The first restart comes at once, the next ones after 10, 20, 40 s (``backOffPeriod``, kubelet.go).
* Until the startup probe has passed, the others are not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tests.web.kubelet import Probe as Shape
from tests.web.kubelet import Worker

BACKOFF = (0.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
"""Seconds before the nth restart."""

GRACE = 30.0
"""Seconds: ``terminationGracePeriodSeconds`` where a chart does not say."""

Question = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is asked, how often, and how many failures in a row turn it. Times are seconds."""

    ask: Question
    delay: float
    period: float
    timeout: float
    failures: int

    def faster(self, times: float) -> Probe:
        """The same, with all of its times so many times as long."""
        return replace(self, delay=self.delay * times, period=self.period * times, timeout=self.timeout * times)


@dataclass(frozen=True, slots=True)
class Probes:
    """A container's; without ``startup`` the others are asked from their delay on."""

    readiness: Probe
    liveness: Probe
    startup: Probe | None = None

    def faster(self, times: float) -> Probes:
        """All of them."""
        startup = self.startup and self.startup.faster(times)
        return Probes(self.readiness.faster(times), self.liveness.faster(times), startup)


class Container(Protocol):
    """What a kubelet starts and kills."""

    async def run(self) -> None:
        """Start, as its script does; return when the script has got to its end."""

    async def terminate(self, grace: float) -> None:
        """SIGTERM, and what is left after ``grace`` seconds SIGKILL. Returns when nothing of it runs."""


@dataclass(slots=True)
class History:
    """What happened to a pod, in seconds from its first start. ``ready`` is when its readiness turned for the last
    time, None while it is not ready; ``done`` are the moments at which its script got to its end."""

    starts: list[float] = field(default_factory=list)
    kills: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    ready: float | None = None


class Pod:
    """Use ``run`` until it has seen enough; ``history`` is kept up to date. ``times`` is how many times as long
    everything takes as on a cluster."""

    def __init__(self, container: Container, probes: Probes, *, times: float = 1.0) -> None:
        self._container = container
        self._probes = probes.faster(times)
        self._times = times
        self.history = History()
        self._changed = asyncio.Event()
        self._began = 0.0

    async def run(self) -> None:
        """Until cancelled; then the container is left as it is."""
        self._began = asyncio.get_running_loop().time()
        for restarts in range(10**6):
            await asyncio.sleep(self._times * BACKOFF[min(max(restarts - 1, 0), len(BACKOFF) - 1)])
            self._note(self.history.starts)
            await self._live()
            self._note(self.history.kills)
            self.history.ready = None
            await self._container.terminate(GRACE * self._times)

    async def until(self, fact: Callable[[History], bool], within: float) -> bool:
        """Whether ``fact`` came true ``within`` so many seconds of a cluster."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within * self._times):
                while not fact(self.history):
                    self._changed.clear()
                    await self._changed.wait()
        return fact(self.history)

    async def _live(self) -> None:
        """Return when the liveness has turned."""
        script = asyncio.create_task(self._script())
        others = [asyncio.create_task(self._keep_asking(self._probes.readiness, self._turned, passing=False))]
        try:
            if (startup := self._probes.startup) is not None:
                await self._keep_asking(startup, lambda worker: worker.passing, passing=False)
            await self._keep_asking(self._probes.liveness, lambda worker: not worker.passing, passing=True)
        finally:
            for task in (script, *others):
                task.cancel()
            await asyncio.gather(script, *others, return_exceptions=True)

    async def _script(self) -> None:
        await self._container.run()
        self._note(self.history.done)

    def _turned(self, readiness: Worker) -> bool:
        ready = self.history.ready
        self.history.ready = (self._now() if ready is None else ready) if readiness.passing else None
        if (ready is None) is not (self.history.ready is None):
            self._changed.set()
        return False

    async def _keep_asking(self, probe: Probe, enough: Callable[[Worker], bool], *, passing: bool) -> None:
        loop = asyncio.get_running_loop()
        worker = Worker(Shape("", failure_threshold=probe.failures), passing=passing)
        await asyncio.sleep(probe.delay)
        while True:
            due = loop.time() + probe.period
            try:
                async with asyncio.timeout(probe.timeout):
                    worker.observe(await probe.ask())
            except TimeoutError:
                worker.observe(False)
            if enough(worker):
                return
            await asyncio.sleep(max(due - loop.time(), 0.0))

    def _note(self, moments: list[float]) -> None:
        moments.append(self._now())
        self._changed.set()

    def _now(self) -> float:
        """Seconds of a cluster."""
        return (asyncio.get_running_loop().time() - self._began) / self._times

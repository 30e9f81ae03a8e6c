"""A client that probes as a kubelet does (pkg/probe/http, pkg/kubelet/prober of Kubernetes), to judge our answers by.

* A new connection for each probe, with ``Connection: close``; one timeout for the whole exchange.
* 200 to 399 is success, any other answer or none is failure. Ten KiB of a body are read.
* An answer whose body stalls is neither: it is tried three times, and then thrown away as if it had not been asked.
* A state turns at the n-th equal result in a row. Liveness begins as success, readiness as failure.
* Until the startup probe has passed, the others are not asked.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from tests.patience import PATIENCE

BODY = 10 * 1024
TRIES = 3


@dataclass(frozen=True, slots=True)
class Probe:
    """As in a pod's specification. Times are seconds; the defaults are Kubernetes' own but for the period, whose least
    is taken."""

    path: str
    period: float = 1.0
    timeout: float = 1.0
    failure_threshold: int = 3
    success_threshold: int = 1


class Worker:
    """One probe's state, as a kubelet keeps it."""

    def __init__(self, probe: Probe, *, passing: bool) -> None:
        self.probe = probe
        self.passing = passing
        self.results: list[bool] = []
        """Of every probe that counted."""
        self.turns: list[int] = []
        """After how many results the state turned."""

    def observe(self, success: bool | None) -> None:
        """Take the result of one probe; None is thrown away."""
        if success is None:
            return
        self.results.append(success)
        threshold = self.probe.success_threshold if success else self.probe.failure_threshold
        if success is not self.passing and self.results[-threshold:] == [success] * threshold:
            self.passing = success
            self.turns.append(len(self.results))


class Kubelet:
    """Probes ``host:port``. A liveness that turns would restart the container; here it is only noted."""

    def __init__(self, host: str, port: int, *, startup: Probe, liveness: Probe, readiness: Probe) -> None:
        self._place = (host, port)
        self._looked = asyncio.Condition()
        self.startup = Worker(startup, passing=False)
        self.liveness = Worker(liveness, passing=True)
        self.readiness = Worker(readiness, passing=False)

    async def until(self, fact: Callable[[], bool]) -> None:
        """Return when ``fact``, which is looked at after every probe, is true."""
        async with asyncio.timeout(PATIENCE), self._looked:
            await self._looked.wait_for(fact)

    async def run(self) -> None:
        """Until cancelled."""
        await self._keep_probing(self.startup, enough=lambda: self.startup.passing)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_probing(self.liveness))
            tasks.create_task(self._keep_probing(self.readiness))

    async def _keep_probing(self, worker: Worker, enough: Callable[[], bool] = lambda: False) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while not enough():
            worker.observe(await self._probe(worker.probe))
            async with self._looked:
                self._looked.notify_all()
            due = max(due + worker.probe.period, loop.time())
            await asyncio.sleep(due - loop.time())

    async def _probe(self, probe: Probe) -> bool | None:
        for _ in range(TRIES):
            if (success := await ask(*self._place, probe)) is not None:
                return success
        return None


async def ask(host: str, port: int, probe: Probe) -> bool | None:
    """One exchange; None when an answer began well and its body never came."""
    code = 0
    try:
        async with asyncio.timeout(probe.timeout), _connected(host, port) as (reader, writer):
            writer.write(
                f"GET {probe.path} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: kube-probe/1.30\r\n"
                "Accept: */*\r\nConnection: close\r\n\r\n".encode()
            )
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            code = int(head.split(" ", 2)[1])
            length = next((line[15:] for line in head.split("\r\n") if line.startswith("content-length:")), None)
            await (reader.read(BODY) if length is None else reader.readexactly(min(int(length), BODY)))
    except (OSError, EOFError, ValueError, LookupError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
        return None if code else False
    return 200 <= code < 400


@contextlib.asynccontextmanager
async def _connected(host: str, port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


@contextlib.asynccontextmanager
async def kubelet(
    host: str,
    port: int,
    *,
    startup: Probe = Probe("/startupz", failure_threshold=60),
    liveness: Probe = Probe("/livez"),
    readiness: Probe = Probe("/readyz"),
) -> AsyncIterator[Kubelet]:
    """A kubelet at work, for the length of the block."""
    found = Kubelet(host, port, startup=startup, liveness=liveness, readiness=readiness)
    task = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

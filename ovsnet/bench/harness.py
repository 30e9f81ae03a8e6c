"""The harness of every measurement: a held connection to the daemon, its CPU time, the clock, and how it ended."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import anyio

from ovsnet.bench.probe_protocol import HeldConnection, ProtocolName, hold
from ovsnet.bench.result import ENGINE, Run
from ovsnet.errors import UnfitEnvironment
from ovsnet.io.address import Address
from ovsnet.io.nofile import raise_nofile
from ovsnet.io.tls import Tls
from ovsnet.node.process import sample

SPARE_FILES = 64
"""Descriptors besides those of the clients."""


@asynccontextmanager
async def measured(
    run: Run[Any], protocol: ProtocolName, address: Address, *, timeout: float = 5.0, tls: Tls | None = None
) -> AsyncIterator[None]:
    """Fill in times and CPU seconds of ``run``. A daemon that goes away ends the block, and is a problem.

    A block that knows better when its work began and ended sets both itself. Raises the PeerError that fits when the
    daemon does not answer to begin with.
    """
    async with aclosing(await hold(protocol, address, timeout=timeout, tls=tls)) as session:
        gc.collect()  # before the clock starts, for it takes 20 ms
        gc.freeze()  # or each collection during the run would walk all that was imported
        pid = session.peer_pid
        daemon, before = _cpu(pid)
        own = time.process_time()
        run.began, since = time.time(), time.monotonic()
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_end_with_daemon, session, tasks.cancel_scope)
                yield
                tasks.cancel_scope.cancel()
        finally:
            run.ended = run.ended or run.began + time.monotonic() - since
            run.cpu_seconds[ENGINE] = time.process_time() - own
            gc.unfreeze()
            run.problems += _problems(session, address)
            _, after = _cpu(pid)
            if daemon and after is not None and before is not None:
                run.cpu_seconds[daemon] = after - before


async def _end_with_daemon(session: HeldConnection, scope: anyio.CancelScope) -> None:
    await session.closed
    scope.cancel()


def _problems(session: HeldConnection, address: Address) -> list[str]:
    """Asked at the end, for the measurement may have met the daemon's death before the held connection did."""
    process = sample(session.peer_pid, 0.0) if session.peer_pid else None
    if session.peer_pid is not None and (process is None or process.gone):
        return [f"The daemon at {address} died during the run."]
    return [f"During the run: {session.closed.result()}"] if session.closed.done() else []


def _cpu(pid: int | None) -> tuple[str, float | None]:
    process = sample(pid, 0.0) if pid else None
    return (process.name, process.cpu_seconds) if process else ("", None)


def require_files(clients: int) -> None:
    """Make room for so many connections. Raises UnfitEnvironment when this process may not open that many files."""
    needed = clients + SPARE_FILES
    if (may := raise_nofile(needed)) < needed:
        raise UnfitEnvironment(
            f"{clients} clients need {needed} open files; this process may have {may}.",
            remedy=f"Raise the limit (ulimit -Hn {needed}), or use fewer clients.",
        )

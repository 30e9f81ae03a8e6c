"""The servers that a storm hits: those of a sandbox, which can be hurt, or a real southbound, which is only watched."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from types import TracebackType
from typing import Literal, Protocol, Self

from ovsnet import ovsdb
from ovsnet.bench.procedure import daemon_of
from ovsnet.bench.storm.messages import Fault
from ovsnet.bench.storm.servers import QUERY_TIMEOUT, Meter
from ovsnet.io.address import Address
from ovsnet.io.tls import Tls
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox

FaultKind = Literal["kill", "freeze"]


class Target(Protocol):
    """What the coordinator of a storm sees of the servers."""

    @property
    def meters(self) -> Mapping[str, Meter]:
        """What each server has used so far, by its name."""
        ...

    def check(self) -> str:
        """Read the meters, and name the first server that is gone and should be there; empty when none is."""
        ...

    async def inject(self, fault: FaultKind) -> Fault:
        """Hurt the leader."""
        ...

    async def heal(self) -> None:
        """Start, or thaw, what was hurt."""
        ...


class SandboxTarget:
    """Those of a sandbox."""

    def __init__(self, node: Sandbox) -> None:
        self._node = node
        self._hurt: tuple[str, FaultKind] | None = None
        self.rundir = Rundir(node.rundir, node.rundir)
        self.meters = {name: Meter() for name in node.southbound_servers}

    def check(self) -> str:
        for name, meter in self.meters.items():
            if self._node.running(name):
                meter.read(self._node.pid(name))
            elif self._hurt != (name, "kill"):
                return name
        return ""

    async def inject(self, fault: FaultKind) -> Fault:
        name = await daemon_of(self._node, "southbound")
        self.check()  # what it has used ends with it
        self._hurt = name, fault
        at = time.monotonic()  # before: some may be back before we know that it is gone
        await (self._node.kill(name) if fault == "kill" else self._node.freeze(name))
        return Fault(at, list(self.meters).index(name) if fault == "kill" else None)

    async def heal(self) -> None:
        if self._hurt is not None:
            name, fault = self._hurt
            await (self._node.start(name) if fault == "kill" else self._node.thaw(name))
            self._hurt = None


class ExternalTarget:
    """A real southbound: a connection to each server that answers is held, to know whether the server lived.

    Its memory and CPU time are known where a unix socket gives its pid.
    """

    def __init__(self, remotes: Sequence[Address], tls: Tls | None) -> None:
        self._remotes = remotes
        self._tls = tls
        self._sessions: dict[str, ovsdb.Session] = {}
        self._stack = AsyncExitStack()
        self.meters: dict[str, Meter] = {}

    async def __aenter__(self) -> Self:
        for remote in self._remotes:
            session = await ovsdb.connect(remote, timeout=QUERY_TIMEOUT, tls=self._tls)
            self._sessions[str(remote)] = await self._stack.enter_async_context(aclosing(session))
            if session.peer_pid is not None:
                self.meters[str(remote)] = Meter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def check(self) -> str:
        for name, meter in self.meters.items():
            if (pid := self._sessions[name].peer_pid) is not None:
                meter.read(pid)
        return next((name for name, session in self._sessions.items() if session.closed.done()), "")

    async def inject(self, fault: FaultKind) -> Fault:
        raise AssertionError(f"A real southbound suffers no {fault}.")

    async def heal(self) -> None:
        return

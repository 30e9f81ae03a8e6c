"""A variant of a restart, done on a sandbox node."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial

import anyio

from ovsnet.bench.observer import Observer
from ovsnet.bench.recovery import Recovery
from ovsnet.bench.variant import CONTROLLER, SWITCH, DaemonName, Variant
from ovsnet.errors import PeerError
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import together, until

WAIT = [sys.executable, "-m", "ovsnet", "wait", "--for", "openflow"]
"""As the unit or the script that starts ovn-controller calls it: Python's own start is part of what it costs."""

EXIT_TIMEOUT = 180.0
"""Seconds: an ovn-controller with 3000 ports may compute for a minute before it reads the request."""

SOCKETS = {SWITCH: "br-int.mgmt", "ovsdb-server": "db.sock", "ovn-sb": "ovnsb_db.sock"}
"""The socket that shows that a daemon is back. That of ovn-controller has its pid in its name: the stage shows."""


class Procedure:
    """``away`` holds the daemons that we stopped ourselves."""

    def __init__(self, node: Sandbox, target: str, variant: Variant, down: float) -> None:
        self._node = node
        self._target = target
        self._variant = variant
        self._down = down
        self.away: set[str] = set()

    @property
    def daemons(self) -> list[str]:
        """Those that are restarted, in the order of their start."""
        return [self._target, CONTROLLER] if self._variant.declaration.restarts_controller else [self._target]

    async def prepare(self, observer: Observer) -> None:
        """Set what the variant sets, and do the restarts that go before."""
        for key, value in self._variant.settings.items():
            await self._node.run("ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".", f"external_ids:{key}={value}")
        for _ in range(self._variant.before):
            await self._restart_shortly(observer)
        if self._variant.southbound_away is not None:
            self.away.add("ovn-sb")
            await self._node.stop("ovn-sb")

    async def restore(self) -> None:
        """Take back what the variant set."""
        for key in self._variant.settings:
            await self._node.run("ovs-vsctl", "--no-wait", "remove", "Open_vSwitch", ".", "external_ids", key)

    async def _restart_shortly(self, observer: Observer) -> None:
        recovery = self._watch(observer)
        with self._stopped([self._target]):
            await self._node.restart(self._target)
        await observer.until(lambda: recovery.flows.back_at is not None)

    async def carry_out(self, observer: Observer) -> None:
        """Stop, wait, start; return when all that was stopped runs."""
        recovery = self._watch(observer)
        with self._stopped(self.daemons):
            await together(*(partial(self._stop, name) for name in self.daemons))
            recovery.gone_at = observer.now()
            recovery.socket.observe(False, recovery.gone_at)
            await anyio.sleep(self._down)
            recovery.started_at = observer.now() + self._variant.ahead
            await together(*self._starts())

    def _starts(self) -> Iterator[Callable[[], Awaitable[None]]]:
        yield self._start_target
        if self._variant.declaration.restarts_controller:
            yield self._start_controller
        if self._variant.southbound_away is not None:
            yield partial(self._bring_southbound, self._variant.southbound_away)

    async def _stop(self, name: str) -> None:
        if not self._variant.declaration.exits_by_itself:
            await self._node.stop(name)
            return
        socket = self._node.rundir / f"{name}.{self._node.pid(name)}.ctl"
        await self._node.run("ovs-appctl", "-t", str(socket), "exit", timeout=EXIT_TIMEOUT)
        await until(lambda: not self._node.running(name), EXIT_TIMEOUT, f"{name} did not exit.")

    async def _start_target(self) -> None:
        await anyio.sleep(self._variant.ahead)
        await self._node.start(self._target)

    async def _start_controller(self) -> None:
        if self._variant.declaration.waits_for_openflow:
            done = await anyio.run_process([*WAIT, "--rundir", str(self._node.rundir)], check=False)
            if done.returncode:
                raise PeerError(f"ovsnet wait failed: {done.stderr.decode(errors='replace').strip()}")
        await self._node.start(CONTROLLER)

    async def _bring_southbound(self, after: float) -> None:
        await anyio.sleep(after)
        await self._node.start("ovn-sb")
        self.away.discard("ovn-sb")

    async def synced(self, observer: Observer) -> None:
        """Note when a change in the northbound has reached this node. It proves the way through the southbound, not
        the flows: hv_cfg counts on without a switch."""
        recovery = observer.recovery
        await self._node.run("ovn-nbctl", "--wait=hv", "sync", timeout=3600)
        recovery.others["synced"] = observer.now()

    def _watch(self, observer: Observer) -> Recovery:
        socket = SOCKETS.get(self._target, "")
        return observer.watch(self.daemons, str(self._node.rundir / socket) if socket else "")

    @contextmanager
    def _stopped(self, names: list[str]) -> Iterator[None]:
        self.away.update(names)
        yield
        self.away.difference_update(names)


async def daemon_of(node: Sandbox, target: DaemonName) -> str:
    """Its name in the sandbox. Of a clustered southbound that is its leader now; raises PeerError without one."""
    if target != "southbound":
        return target
    members = [name for name in node.daemons if name.startswith("ovn-sb")]
    for name in members:
        if len(members) == 1:
            return name
        socket = node.rundir / f"ovnsb{name.removeprefix('ovn-sb')}_db.ctl"
        if "Role: leader" in await node.run("ovs-appctl", "-t", str(socket), "cluster/status", "OVN_Southbound"):
            return name
    raise PeerError("The southbound cluster has no leader.")

"""A real Open vSwitch and OVN node in one directory, unprivileged and disposable.

Every interface and datapath is a dummy, so nothing outside the directory is touched. Everything else is real: the
daemons, their databases, sockets and protocols, and so their failures.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import anyio
import anyio.to_thread

from ovsnet.errors import DeadlineExceeded, PeerError, UsageError
from ovsnet.sandbox import binaries, contents, place, record
from ovsnet.sandbox.daemons import BRIDGE, southbound_servers
from ovsnet.sandbox.deployment import Deployment
from ovsnet.sandbox.pki import certify
from ovsnet.sandbox.shape import Shape
from ovsnet.sandbox.start import start
from ovsnet.sandbox.supervisor import START_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from ovsnet.io.tls import Tls
    from ovsnet.sandbox.daemons import Chassis, Daemon


class Sandbox:
    """``async with Sandbox() as node``: the daemons listen inside the block, and nothing is left after it.

    ``directory`` is made, or taken if it is empty; a short temporary one when None. ``ports`` is the number of ports
    on br-int. ``raft`` makes the southbound a cluster of three. ``ovn=False`` leaves OVN out. ``bridge=False`` leaves
    br-int to ovn-controller, which then loses the race for br-int.mgmt as on a node's first start. With ``door``, each
    server of the southbound listens on TCP or TLS as well: see ``doors``. As a ``chassis`` it belongs to the
    southbound of another sandbox, and has no central daemons. A ``detached`` sandbox outlives us.

    Not bound to an event loop, but to the thread that starts it: when that ends, the kernel kills the daemons. Whatever
    needs the node raises UsageError before ``up``.
    """

    def __init__(
        self,
        directory: Path | str | None = None,
        *,
        ports: int = 2,
        raft: bool = False,
        ovn: bool = True,
        bridge: bool = True,
        door: Literal["tcp", "ssl"] | None = None,
        chassis: Chassis | None = None,
        detached: bool = False,
    ) -> None:
        self._shape = Shape(ports=ports, raft=raft, ovn=ovn, bridge=bridge, door=door, chassis=chassis)
        self._requested = None if directory is None else Path(directory).absolute()
        if self._requested:
            place.require_short(self._requested)
        self._detached = detached
        self._deployment: Deployment | None = None

    @classmethod
    def attach(cls, directory: Path | str) -> Sandbox:
        """The sandbox in this directory, started by another process. Raises UsageError when there is none."""
        path = Path(directory).absolute()
        place.require_ours(path)
        settings = record.read_settings(path)
        node = cls(path, detached=True)
        root = settings.binaries_root
        programs = binaries.from_root(Path(root)) if root else binaries.find()
        node._deployment = Deployment(path, settings, programs, detached=True)
        return node

    async def __aenter__(self) -> Sandbox:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.down()

    @property
    def _node(self) -> Deployment:
        if self._deployment is None:
            raise UsageError(
                "The sandbox was not started yet.", remedy="Call `await sandbox.up()`, or use `async with`."
            )
        return self._deployment

    @property
    def daemons(self) -> Mapping[str, Daemon]:
        """The daemons by name, in the order of their start."""
        return self._node.daemons

    @property
    def directory(self) -> Path:
        """Everything lives here."""
        return self._node.layout.directory

    @property
    def rundir(self) -> Path:
        """Sockets and pidfiles of Open vSwitch and of OVN."""
        return self._node.layout.rundir

    @property
    def bridge(self) -> str:
        """Name of the integration bridge."""
        return BRIDGE

    @property
    def southbound(self) -> str:
        """Remote of the southbound database; three, separated by commas, with raft."""
        return self._node.southbound

    @property
    def southbound_servers(self) -> dict[str, str]:
        """The daemons that serve the southbound database here, each with the remote of its unix socket."""
        settings = self._node.settings
        return {} if settings.chassis else southbound_servers(self._node.layout, settings.members)

    @property
    def doors(self) -> dict[str, str]:
        """The same daemons, each with the remote of its ``door``; empty without one."""
        return {name: door.client for name, door in self._node.settings.doors.items()}

    @property
    def tls(self) -> Tls:
        """The files to go through a door of TLS with."""
        return self._node.layout.tls

    def environment(self) -> dict[str, str]:
        """Variables that point any program of OVS or OVN, and ovsnet, at this node."""
        return self._node.environment()

    async def up(self) -> None:
        """Start the node; return when its daemons listen. On an error or a cancellation nothing is left."""
        node = self._deployment = await self._deploy()
        try:
            place.furnish(node.layout, node.settings)
            if self._shape.door == "ssl":
                await anyio.to_thread.run_sync(certify, node.layout.tls, node.binaries)
            await start(node)
        except BaseException:
            await self.down()
            raise

    async def down(self) -> None:
        """Kill the daemons and remove what the sandbox made: with dummies there is nothing to wind down in order."""
        node = self._node
        with anyio.CancelScope(shield=True):  # a cancelled block must still leave nothing behind
            await node.supervisor.kill_all()
        place.clear(node.layout.directory, remove=node.settings.made_directory)

    async def start(self, name: str) -> None:
        """Start a daemon; return when all its sockets listen."""
        await self._node.supervisor.start(name)

    async def stop(self, name: str) -> None:
        """SIGTERM a daemon; return when it is gone and reaped."""
        await self._node.supervisor.stop(name)

    async def kill(self, name: str) -> None:
        """SIGKILL a daemon; return when it is gone. Its sockets and its pidfile stay, as after a crash."""
        await self._node.supervisor.kill(name)

    async def freeze(self, name: str) -> None:
        """SIGSTOP a daemon; return when all its threads have stopped."""
        await self._node.supervisor.freeze(name)

    async def thaw(self, name: str) -> None:
        """SIGCONT a daemon; return when it goes on."""
        await self._node.supervisor.thaw(name)

    async def restart(self, name: str) -> None:
        """Stop a daemon, if it runs, and start it."""
        if self.running(name):
            await self.stop(name)
        await self.start(name)

    def pid(self, name: str) -> int:
        """Pid of a daemon; raises UsageError when it does not run."""
        if process := self._node.supervisor.process(name):
            return process.pid
        raise UsageError(f"{name} does not run.", remedy="Start it first.")

    def running(self, name: str) -> bool:
        """False when the daemon has ended, even as a zombie; a frozen one runs."""
        return self._node.supervisor.process(name) is not None

    def frozen(self, name: str) -> bool:
        """True when the daemon is there and stopped by a signal."""
        process = self._node.supervisor.process(name)
        return process is not None and process.frozen()

    def status(self) -> dict[str, tuple[str, int | None]]:
        """For each daemon, ``running``, ``frozen`` or ``gone``, and its pid."""
        found = {name: self._node.supervisor.process(name) for name in self.daemons}
        return {
            name: ("frozen" if process.frozen() else "running", process.pid) if process else ("gone", None)
            for name, process in found.items()
        }

    def log(self, name: str, lines: int = 40) -> str:
        """The last lines of a daemon's log."""
        return self._node.supervisor.log(name, lines)

    async def run(self, program: str, *arguments: str, timeout: float = 60.0) -> str:
        """Stdout of any program of OVS or OVN, run against this node. ``timeout`` is in seconds.

        Raises PeerError with the program's stderr when it fails, DeadlineExceeded when it does not end.
        """
        return await self._node.run(program, *arguments, timeout=timeout)

    async def wait_listening(self, socket: str, timeout: float = START_TIMEOUT) -> None:
        """Return when this socket of the run directory accepts connections: ``br-int.mgmt``."""
        await self._node.wait_listening(socket, timeout)

    async def wait_ready(self, timeout: float = 50.0) -> None:
        """Return when every port is in the switch and, with OVN, its flows are. ``timeout`` is in seconds."""
        readiness = contents.Readiness(self.run, ports=self._node.settings.ports, ovn=self._node.settings.ovn)
        deadline = time.monotonic() + timeout
        while True:
            began = time.monotonic()
            try:
                if await readiness.check():
                    return
            except PeerError as error:
                readiness.lacking = str(error).rstrip(".")
            if began >= deadline:
                absent = "".join(f"; {daemon} does not run" for daemon in self._node.supervisor.absent())
                raise DeadlineExceeded(f"The node is not ready after {timeout:g} s: {readiness.lacking}{absent}.")
            # A check of 3000 ports costs 0.1 s of CPU: never take more than half of one core from the daemons.
            await anyio.sleep(max(0.01, time.monotonic() - began))

    async def _deploy(self) -> Deployment:
        programs = await anyio.to_thread.run_sync(binaries.find)
        directory, made = place.make(self._requested)
        root = None if programs.source == "PATH" else programs.source
        settings = self._shape.settle(binaries_root=root, made_directory=made)
        return Deployment(directory, settings, programs, detached=self._detached)

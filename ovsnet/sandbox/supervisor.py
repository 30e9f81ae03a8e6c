"""Start, stop, freeze and thaw the daemons of one sandbox; each call returns when its fact is there.

subprocess.Popen, not asyncio's: a sandbox outlives an event loop (one fixture, many tests). The processes are known
by what the directory's record says, so an owner and an outsider who attached work alike.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
from collections import deque
from typing import TYPE_CHECKING

from ovsnet.errors import PeerError, PermissionDenied, UnfitEnvironment, UsageError
from ovsnet.sandbox import record
from ovsnet.sandbox.proc import Process, listening, listening_ports
from ovsnet.sandbox.waiting import until
from ovsnet.texts import likely

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ovsnet.sandbox.binaries import Binaries
    from ovsnet.sandbox.daemons import Daemon, Layout

START_TIMEOUT = 30.0
"""Seconds. A daemon is up in 0.05 s; a database of 30 MB needs a second, and a loaded machine many times that."""
SIGNAL_TIMEOUT = 30.0

_DIE_WITH_PARENT = "import ctypes, os, sys; ctypes.CDLL(None).prctl(1, 9); os.execv(sys.argv[1], sys.argv[1:])"


@functools.cache
def _setpriv() -> str | None:
    return shutil.which("setpriv")


def die_with_parent() -> list[str]:
    """Words before a command that make the kernel kill it when the thread that started it ends (prctl(2),
    PR_SET_PDEATHSIG).

    It is set by a program of its own: code between fork and exec (``preexec_fn``) may deadlock where there are threads.
    """
    if setpriv := _setpriv():
        return [setpriv, "--pdeathsig", "KILL", "--"]
    return [sys.executable, "-ISc", _DIE_WITH_PARENT]


class Supervisor:
    """The processes of a sandbox. Those of a ``detached`` one outlive us; the others die with us, even by SIGKILL."""

    def __init__(
        self,
        layout: Layout,
        daemons: Mapping[str, Daemon],
        binaries: Binaries,
        environment: Mapping[str, str],
        *,
        detached: bool,
    ) -> None:
        self._layout = layout
        self._daemons = daemons
        self._binaries = binaries
        self._environment = environment
        self._detached = detached
        self._children: dict[int, subprocess.Popen[bytes]] = {}

    def daemon(self, name: str) -> Daemon:
        """The declaration; raises UsageError for a name that this node does not have."""
        if name in self._daemons:
            return self._daemons[name]
        raise UsageError(f"There is no daemon {name!r} here.", remedy=likely(name, self._daemons, "Its daemons"))

    def process(self, name: str) -> Process | None:
        """The daemon's process, or None when it does not run. A zombie does not run."""
        known = record.read_processes(self._layout.directory).get(self.daemon(name).name)
        return known if known and not self._gone(known) else None

    def absent(self) -> list[str]:
        """Each daemon that does not run, and how it ended as far as we know: ``ovn-controller (SIGABRT)``."""
        known = record.read_processes(self._layout.directory)
        ended = {name: known.get(name) for name in self._daemons if self.process(name) is None}
        return [f"{name} ({self._end_of(process)})" for name, process in ended.items()]

    def _end_of(self, process: Process | None) -> str:
        child = self._children.get(process.pid) if process else None
        if child is None or child.returncode is None:
            return "never started" if process is None else "ended"
        return signal.Signals(-child.returncode).name if child.returncode < 0 else f"exit code {child.returncode}"

    def log_path(self, name: str) -> Path:
        """The file that holds what the daemon logs and what it prints."""
        return self._layout.logdir / f"{self.daemon(name).name}.log"

    def log(self, name: str, lines: int) -> str:
        """The last lines of the daemon's log."""
        try:
            with self.log_path(name).open(errors="replace") as stream:
                return "".join(deque(stream, maxlen=lines))
        except FileNotFoundError:
            return ""

    async def start(self, name: str) -> None:
        """Start it, and wait until all its sockets listen."""
        daemon = self.daemon(name)
        if self.process(name):
            raise UsageError(f"{name} runs already.", remedy="Stop it first, or restart it.")
        process = self._spawn(daemon)
        paths = [self._layout.rundir / socket.format(pid=process.pid) for socket in daemon.sockets]

        def is_up() -> bool:
            if self._gone(process):
                raise PeerError(f"{name} ended while it started: {self._end_of(process)}.")
            return listening(paths) and (not daemon.ports or listening_ports().issuperset(daemon.ports))

        await self._told(name, is_up, START_TIMEOUT, f"{name} did not listen within {START_TIMEOUT:.0f} s.")

    async def stop(self, name: str) -> None:
        """SIGTERM, and wait until it is gone. A frozen daemon does not hear it."""
        await self._end(name, signal.SIGTERM)

    async def kill(self, name: str) -> None:
        """SIGKILL, and wait until it is gone. Its sockets and its pidfile stay, as after a crash."""
        await self._end(name, signal.SIGKILL)

    async def freeze(self, name: str) -> None:
        """SIGSTOP, and wait until every thread has stopped."""
        process = self._signal(name, signal.SIGSTOP)

        def is_frozen() -> bool:
            if self._gone(process):
                raise PeerError(f"{name} ended while it was to freeze.")
            return process.frozen()

        await self._told(name, is_frozen, SIGNAL_TIMEOUT, f"{name} did not freeze within {SIGNAL_TIMEOUT:.0f} s.")

    async def thaw(self, name: str) -> None:
        """SIGCONT, and wait until it goes on."""
        process = self._signal(name, signal.SIGCONT)
        late = f"{name} did not go on within {SIGNAL_TIMEOUT:.0f} s."
        await self._told(name, lambda: not process.frozen(), SIGNAL_TIMEOUT, late)

    async def kill_all(self) -> None:
        """SIGKILL whatever runs, frozen or not, and wait until all are gone."""
        running = {name: process for name in self._daemons if (process := self.process(name))}
        for name, process in running.items():
            self._send(name, process, signal.SIGKILL)

        def all_gone() -> bool:
            # Every child is polled, for an outsider may have ended one that only we can reap.
            reaped = [child.poll() is not None for child in self._children.values()]
            return all(reaped) and all(self._gone(process) for process in running.values())

        late = f"Killed, but not gone within {SIGNAL_TIMEOUT:.0f} s: {', '.join(running)}."
        await until(all_gone, SIGNAL_TIMEOUT, late)

    async def _end(self, name: str, number: signal.Signals) -> None:
        process = self._signal(name, number)
        late = f"{name} did not end within {SIGNAL_TIMEOUT:.0f} s after {number.name}."
        await self._told(name, lambda: self._gone(process), SIGNAL_TIMEOUT, late)

    def _signal(self, name: str, number: signal.Signals) -> Process:
        process = self.process(name)
        if process is None:
            raise UsageError(f"{name} does not run.", remedy="Start it first.")
        self._send(name, process, number)
        return process

    def _send(self, name: str, process: Process, number: signal.Signals) -> None:
        try:
            os.kill(process.pid, number)
        except ProcessLookupError:
            pass  # it ended this moment: a wait for its end returns
        except PermissionError as error:
            raise PermissionDenied(f"We may not signal {name}, process {process.pid}.") from error

    def _gone(self, process: Process) -> bool:
        # Our own child is gone when it is reaped: until then, threads of it may still hold its sockets.
        child = self._children.get(process.pid)
        return (child is None or child.poll() is not None) and not process.alive()

    async def _told(self, name: str, fact: Callable[[], bool], timeout: float, late: str) -> None:
        try:
            await until(fact, timeout, late)
        except PeerError as error:
            error.remedy = error.remedy or f"Read its log, {self.log_path(name)}."
            error.add_note(f"{name} logged last:\n{self.log(name, 20)}")
            raise

    def _spawn(self, daemon: Daemon) -> Process:
        log = self.log_path(daemon.name)
        argv = [
            str(self._binaries.path(daemon.program)),
            *daemon.arguments,
            f"--pidfile={self._layout.rundir / daemon.pidfile}",
            f"--log-file={log}",
            "-vconsole:off",
        ]
        try:
            pid = self._spawn_detached(argv, log) if self._detached else self._spawn_child(argv, log)
        except OSError as error:
            raise UnfitEnvironment(f"{daemon.name} cannot be started: {error.strerror or error}.") from error
        process = Process.of(pid) or Process(pid, started=0.0)  # gone before we could look: is_up() says so
        record.write_process(self._layout.directory, daemon.name, process)
        return process

    def _spawn_child(self, argv: Sequence[str], log: Path) -> int:
        # A session of its own: Ctrl-C in the terminal is for us alone, and we end the daemons in our own order.
        with log.open("ab") as stream:
            child = subprocess.Popen(
                [*die_with_parent(), *argv],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
                env=self._environment,
                start_new_session=True,
                cwd=self._layout.directory,
            )
        self._children[child.pid] = child
        return child.pid

    def _spawn_detached(self, argv: Sequence[str], log: Path) -> int:
        # Through a shell that ends at once, so that init inherits and reaps the daemon, not our caller.
        with log.open("ab") as stream:
            done = subprocess.run(
                ["/bin/sh", "-c", '"$@" >&2 & echo $!', "sh", *argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stream,
                env=self._environment,
                start_new_session=True,
                cwd=self._layout.directory,
                check=False,
            )
        return int(done.stdout)

"""What /proc says of a daemon: is it there, and does it get on?

The main thread alone is read: OVS and OVN serve every protocol in it, and a hung main thread beside busy helper threads
(revalidators, handlers, urcu) is hung all the same.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

from ovsnet.errors import raise_own_limit
from ovsnet.files import names_in, read_head, read_record, read_text

PF_EXITING = 0x4
"""In the flags of stat (include/linux/sched.h). Set before the kernel closes the files (kernel/exit.c, ``do_exit``), so
a client that sees its connection end sees this as well."""

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")


class Tracer(msgspec.Struct, frozen=True):
    """Who stops a thread by ptrace(2): a debugger, or what it runs in."""

    pid: int
    name: str

    def __str__(self) -> str:
        return f"{self.name or 'a program'} (process {self.pid})"


class Thread(msgspec.Struct, frozen=True):
    """A thread beside the main one. ``state`` and ``tracer`` are as in a sample."""

    tid: int
    name: str
    state: str
    tracer: Tracer | None = None


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """Which process it is. ``started`` is in seconds since the boot.

    ``state`` is a letter of proc(5): R runs or wants to, S sleeps, D waits in the kernel, T is stopped by a signal and
    t by its tracer, Z and X are dead. X is also said of one that is on its way out.
    """

    pid: int
    name: str
    state: str
    started: float

    @property
    def gone(self) -> bool:
        """True from the moment it exits, before its sockets are closed; it may be a zombie for long afterwards."""
        return self.state in "ZX"

    @property
    def age(self) -> float:
        """Seconds since it started."""
        return time.clock_gettime(time.CLOCK_BOOTTIME) - self.started


class ProcessSample(Process, frozen=True, kw_only=True):
    """What its main thread has done until one moment. Times are seconds; ``at`` is the caller's clock.

    ``waited_seconds`` is for how long it wanted to run and another had the core; None where the kernel does not count
    it (Documentation/scheduler/sched-stats.rst). ``tracer`` is given in the state t, if it can be seen.
    """

    cpu_seconds: float
    switches: int
    at: float
    waited_seconds: float | None = None
    tracer: Tracer | None = None


def identify(pid: int, proc: Path = Path("/proc")) -> Process | None:
    """Which process that is, or None when there is none that we can see: a third of the files of a sample, and a
    quarter of its cost. Raises OwnLimit."""
    try:
        name, fields = _parse(read_record(f"{proc}/{pid}/task/{pid}/stat"))
    except OSError as error:
        raise_own_limit(error)
        return None
    return Process(pid=pid, name=name, state=_state(fields), started=_started(fields))


def sample(pid: int, now: float, proc: Path = Path("/proc")) -> ProcessSample | None:
    """Read one process, or None when there is none that we can see. Raises OwnLimit: a file that we have no
    descriptor for is no proof that a process has ended."""
    thread = f"{proc}/{pid}/task/{pid}"  # several processes are read each second: a Path costs as much as a file
    try:
        # A name is any 15 bytes that the process likes (prctl(2), PR_SET_NAME).
        stat = read_record(f"{thread}/stat")
        status = read_text(f"{thread}/status")
    except OSError as error:
        raise_own_limit(error)
        return None
    name, fields = _parse(stat)
    cpu, waited = _times(thread, fields)
    return ProcessSample(
        pid=pid,
        name=name,
        state=_state(fields),
        started=_started(fields),
        cpu_seconds=cpu,
        switches=_number(status, "voluntary_ctxt_switches"),
        at=now,
        waited_seconds=waited,
        tracer=_tracer(status, proc) if fields[0] == "t" else None,
    )


def stopped_thread(pid: int, proc: Path = Path("/proc")) -> Thread | None:
    """The first thread beside the main one that is stopped; None when there is none. Raises OwnLimit.

    It reads a file per thread: not for a schedule.
    """
    tasks = proc / str(pid) / "task"
    for tid in sorted(int(name) for name in names_in(tasks) if name.isdigit() and int(name) != pid):
        try:
            name, fields = _parse(read_text(tasks / str(tid) / "stat"))
            if fields[0] in "Tt":
                status = read_text(tasks / str(tid) / "status")
                return Thread(tid, name, fields[0], _tracer(status, proc))
        except OSError as error:  # it has ended meanwhile
            raise_own_limit(error)
    return None


def _parse(stat: str) -> tuple[str, list[str]]:
    """The name, and the fields behind it. The name is in parentheses and may itself hold any of " ()": proc(5) says to
    look for the last one."""
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return name, rest.split()


def _state(stat_fields: list[str]) -> str:
    return "X" if int(stat_fields[6]) & PF_EXITING else stat_fields[0]


def _started(stat_fields: list[str]) -> float:
    return int(stat_fields[19]) * _TICK


def _times(thread: str, stat_fields: list[str]) -> tuple[float, float | None]:
    """Seconds on the CPU, and seconds of waiting for it.

    From schedstat in nanoseconds where the kernel has it; the ticks of stat cannot show the 30 us that an echo costs.
    """
    try:
        cpu, waited, *_ = read_record(f"{thread}/schedstat").split()
        return int(cpu) / 1e9, int(waited) / 1e9
    except (OSError, ValueError):
        return (int(stat_fields[11]) + int(stat_fields[12])) * _TICK, None


def _tracer(status: str, proc: Path) -> Tracer | None:
    pid = _number(status, "TracerPid")
    if not pid:  # in a pid namespace that we do not see
        return None
    try:
        return Tracer(pid, read_text(proc / str(pid) / "comm").rstrip("\n"))
    except OSError:
        return Tracer(pid, "")


def _number(status: str, name: str) -> int:
    """A field of status. Voluntary context switches are each a wait that ended."""
    _, _, after = status.partition(f"\n{name}:")
    return int(after.split(maxsplit=1)[0]) if after else 0


def command_line(pid: int, proc: Path = Path("/proc")) -> list[str]:
    """The arguments of a process; empty when they cannot be read."""
    try:
        return os.fsdecode(read_head(f"{proc}/{pid}/cmdline", 1 << 16)).split("\0")
    except OSError:
        return []


def pids_named(name: str, proc: Path = Path("/proc")) -> list[int]:
    """The live processes of that name which we can see. Reads all of /proc: not for a schedule."""
    found = (identify(int(entry), proc) for entry in names_in(proc) if entry.isdigit())
    return sorted(each.pid for each in found if each is not None and not each.gone and runs(each, name, proc))


RUNNERS = ("ld-linux", "ld-musl", "memcheck-", "valgrind", "qemu-")
"""Beginnings of the names of processes that run the program they are given."""


def runs(process: Process, program: str, proc: Path = Path("/proc")) -> bool:
    """Whether a process runs ``program``, itself or as what a loader or valgrind(1) was given. Raises OwnLimit."""
    return process.name == program[:15] or program in given(process.pid, process.name, proc)


def given(pid: int, name: str, proc: Path = Path("/proc")) -> frozenset[str]:
    """The last parts of the words that a process which runs other programs was started with, the program's own among
    them; none for any other process. Raises OwnLimit."""
    if not name.startswith(RUNNERS):
        return frozenset()
    try:
        words = read_head(proc / str(pid) / "cmdline", 1 << 16).split(b"\0")
    except OSError as error:
        raise_own_limit(error)
        return frozenset()
    return frozenset(os.fsdecode(os.path.basename(word)) for word in words)

"""What /proc says of a daemon: is it there, and does it get on?

The main thread alone is read: OVS and OVN serve every protocol in it, and a hung main thread beside busy helper threads
(revalidators, handlers, urcu) is hung all the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from ovsnet.errors import raise_own_limit

PF_EXITING = 0x4
"""In the flags of stat (include/linux/sched.h). Set before the kernel closes the files (kernel/exit.c, ``do_exit``), so
whoever sees its connection end sees this as well."""

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ProcessSample:
    """A main thread at one moment. Times are seconds; ``started`` counts from the boot; ``at`` is the caller's clock.

    ``state`` is a letter of proc(5): R runs or wants to, S sleeps, D waits in the kernel, T is stopped, Z and X are
    dead. X is also said of one that is on its way out.
    """

    pid: int
    name: str
    state: str
    cpu_seconds: float
    switches: int
    started: float
    at: float

    @property
    def gone(self) -> bool:
        """True from the moment it exits, before its sockets are closed; it may be a zombie for long afterwards."""
        return self.state in "ZX"


def sample(pid: int, now: float, proc: Path = Path("/proc")) -> ProcessSample | None:
    """Read one process, or None when there is none that we can see. Raises OwnLimit: a file that we have no
    descriptor for is no proof that a process has ended."""
    thread = proc / str(pid) / "task" / str(pid)
    try:
        # A name is any 15 bytes that the process likes (prctl(2), PR_SET_NAME).
        stat = (thread / "stat").read_text(errors="surrogateescape")
        switches = _context_switches((thread / "status").read_text(errors="surrogateescape"))
    except OSError as error:
        raise_own_limit(error)
        return None
    # The name stands in parentheses and may itself hold any of " ()": proc(5) says to look for the last one.
    name, _, rest = stat.partition("(")[2].rpartition(")")
    fields = rest.split()
    return ProcessSample(
        pid=pid,
        name=name,
        state="X" if int(fields[6]) & PF_EXITING else fields[0],
        cpu_seconds=_cpu_seconds(thread, fields),
        switches=switches,
        started=int(fields[19]) * _TICK,
        at=now,
    )


def _cpu_seconds(thread: Path, stat_fields: list[str]) -> float:
    """From schedstat in nanoseconds where the kernel has it; the ticks of stat cannot show the 30 us that an echo
    costs."""
    try:
        return int((thread / "schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return (int(stat_fields[11]) + int(stat_fields[12])) * _TICK


def _context_switches(status: str) -> int:
    """Voluntary ones: each is a wait that ended, so each is progress."""
    _, _, after = status.partition("\nvoluntary_ctxt_switches:")
    return int(after.split(maxsplit=1)[0]) if after else 0


def command_line(pid: int, proc: Path = Path("/proc")) -> list[str]:
    """The arguments of a process; empty when they cannot be read."""
    try:
        with (proc / str(pid) / "cmdline").open("rb") as stream:
            return os.fsdecode(stream.read(1 << 16)).split("\0")
    except OSError:
        return []


def names_chassis(pid: int, proc: Path = Path("/proc")) -> bool:
    """Whether an ovn-controller was given its chassis' name on the command line (``-n``, ovn-controller(8))."""
    return any(each == "-n" or each.startswith("--chassis-name") for each in command_line(pid, proc))


def pids_named(name: str, proc: Path = Path("/proc")) -> list[int]:
    """The live processes of that name which we can see. Reads all of /proc: not for a schedule."""
    found = (sample(int(entry), 0.0, proc) for entry in _names(proc) if entry.isdigit())
    return sorted(each.pid for each in found if each is not None and not each.gone and each.name == name[:15])


def _names(directory: Path) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError as error:
        raise_own_limit(error)
        return []

"""Read what may hold a process up: its cgroup's throttling and freezer, the host's pressure, a thread that is stopped.

cgroup v2 (cpu.stat in microseconds, Documentation/admin-guide/cgroup-v2.rst) and v1 (cpu.stat in nanoseconds, the
freezer in Documentation/admin-guide/cgroup-v1/freezer-subsystem.rst); pressure stall information from /proc/pressure
(Documentation/accounting/psi.rst).
"""

from __future__ import annotations

import functools
import shlex
from collections.abc import Iterator
from pathlib import Path

import msgspec

from ovsnet.files import read_text
from ovsnet.node.process import ProcessSample, stopped_thread
from ovsnet.node.silence import Surroundings

RUNS = "R"
"""Of a process that runs or is ready to (proc_pid_stat(5))."""


class _Files(msgspec.Struct, frozen=True):
    """Names of the files of one version of cgroups. ``unit`` is that of the throttled time, in seconds."""

    throttled: str
    unit: float
    quota: str
    freezes: str
    thaw: tuple[str, str]


V1 = _Files("throttled_time", 1e-9, "cpu.cfs_quota_us", "freezer.self_freezing", ("THAWED", "freezer.state"))
V2 = _Files("throttled_usec", 1e-6, "cpu.max", "cgroup.freeze", ("0", "cgroup.freeze"))


def surroundings(
    process: ProcessSample | None, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")
) -> Surroundings:
    """What can be seen; None where the kernel or a container hides it. Raises OwnLimit.

    A process that runs or waits for a core waits for nothing else, and nothing holds it: the rest is not read. A switch
    with much to do is looked at several times a second, with a directory for each of its threads.
    """
    if process is None:
        return Surroundings()
    throttled, quota = _throttled(process.pid, proc, cgroups)
    if process.state == RUNS:
        pressure = _pressure(proc / "pressure/cpu")
        return Surroundings(throttled_seconds=throttled, quota=quota, cpu_pressure=pressure)
    frozen, thaw = _frozen(process.pid, proc, cgroups)
    return Surroundings(
        throttled_seconds=throttled,
        io_pressure=_pressure(proc / "pressure/io"),
        memory_pressure=_pressure(proc / "pressure/memory"),
        quota=quota,
        frozen=frozen,
        thaw=thaw,
        thread=stopped_thread(process.pid, proc),
    )


def _throttled(pid: int, proc: Path, cgroups: Path) -> tuple[float | None, str]:
    """For how many seconds it was throttled, and the file that holds its quota."""
    for files, place in places(membership(pid, proc), "cpu", cgroups):
        value = field(read(place / "cpu.stat"), files.throttled)
        if value is not None:
            return value * files.unit, str(place / files.quota)
    return None, ""


def _frozen(pid: int, proc: Path, cgroups: Path) -> tuple[str, str]:
    """The cgroup that freezes it, which may be one further up, and the command that thaws it."""
    for files, place in places(membership(pid, proc), "freezer", cgroups):
        for group in (place, *place.parents):
            if read(group / files.freezes).strip() == "1":
                value, name = files.thaw
                return str(group), f"echo {value} > {shlex.quote(str(group / name))}"
            if group == cgroups:
                break
    return "", ""


def membership(pid: int, proc: Path) -> str:
    """The cgroups of a process, as the kernel writes them; empty when they cannot be read."""
    return read(proc / str(pid) / "cgroup")


@functools.lru_cache(maxsize=64)
def places(membership: str, controller: str, cgroups: Path) -> tuple[tuple[_Files, Path], ...]:
    """Where the cgroup of such a process may be, for one controller. A process seldom moves to another."""
    return tuple(_places(membership, controller, cgroups))


def _places(membership: str, controller: str, cgroups: Path) -> Iterator[tuple[_Files, Path]]:
    for line in membership.splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            files, mounts = V2, (cgroups, cgroups / "unified")
        elif controller in controllers.split(","):
            files, mounts = V1, (cgroups / controllers, cgroups / controller)
        else:
            continue
        for mount in mounts:
            yield files, mount / path.lstrip("/")


def _pressure(path: Path) -> float | None:
    some = next((line for line in read(path).splitlines() if line.startswith("some ")), "")
    for part in some.split():
        name, _, value = part.partition("=")
        if name == "avg10":
            return float(value) / 100
    return None


def field(text: str, key: str) -> float | None:
    """A number out of lines of names and numbers."""
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return float(value)
    return None


def read(path: Path) -> str:
    """A file's text; empty when it cannot be had."""
    try:
        return read_text(path)
    except OSError:
        return ""

"""Read what may hold a process up: its cgroup's throttling and the host's pressure.

cgroup v2 (cpu.stat in microseconds, Documentation/admin-guide/cgroup-v2.rst) and v1 (cpu.stat in nanoseconds);
pressure stall information from /proc/pressure (Documentation/accounting/psi.rst).
"""

from __future__ import annotations

from pathlib import Path

from ovsnet.node.silence import Surroundings


def surroundings(pid: int | None, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> Surroundings:
    """What can be seen; None where the kernel or a container hides it. Raises nothing."""
    return Surroundings(
        throttled_seconds=None if pid is None else _throttled_seconds(pid, proc, cgroups),
        cpu_pressure=_pressure(proc / "pressure/cpu"),
        io_pressure=_pressure(proc / "pressure/io"),
        memory_pressure=_pressure(proc / "pressure/memory"),
    )


def _throttled_seconds(pid: int, proc: Path, cgroups: Path) -> float | None:
    for line in _read(proc / str(pid) / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            places, key, unit = [cgroups], "throttled_usec", 1e-6
        elif "cpu" in controllers.split(","):
            places, key, unit = [cgroups / controllers, cgroups / "cpu"], "throttled_time", 1e-9
        else:
            continue
        for place in places:
            value = _field(_read(place / path.lstrip("/") / "cpu.stat"), key)
            if value is not None:
                return value * unit
    return None


def _pressure(path: Path) -> float | None:
    some = next((line for line in _read(path).splitlines() if line.startswith("some ")), "")
    for part in some.split():
        name, _, value = part.partition("=")
        if name == "avg10":
            return float(value) / 100
    return None


def _field(text: str, key: str) -> float | None:
    for line in text.splitlines():
        name, _, value = line.partition(" ")
        if name == key:
            return float(value)
    return None


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="surrogateescape")
    except OSError:
        return ""

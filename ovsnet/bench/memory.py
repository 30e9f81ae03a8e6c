"""What a process holds in memory, from proc(5)."""

from __future__ import annotations

from pathlib import Path

from ovsnet.files import read_text


def resident_bytes(pid: int) -> int:
    """Memory that a process holds now (``VmRSS``); 0 when there is none."""
    return _field(str(pid), "VmRSS")


def own_peak_bytes() -> int:
    """The most that this program has held (``VmHWM``). getrusage(2) would include its parent: ``ru_maxrss``
    outlives execve(2)."""
    return _field("self", "VmHWM")


def _field(process: str, name: str) -> int:
    try:
        status = read_text(Path("/proc", process, "status"))
    except OSError:
        return 0
    _, _, after = status.partition(f"\n{name}:")
    return int(after.split(maxsplit=1)[0]) * 1024 if after else 0

"""Where a run was made: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
import re
import time
from collections.abc import Iterable
from importlib.metadata import version

import anyio
import msgspec

from ovsnet.files import read_text

LIBRARIES = ("ovsnet", "msgspec", "uvloop")


class Machine(msgspec.Struct, frozen=True):
    """``load`` is the load average of the minute before the run."""

    node: str
    cpu: str
    cores: int
    load: float
    kernel: str
    python: str
    libraries: dict[str, str]

    def __str__(self) -> str:
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.node}: {self.cpu}, {self.cores} cores, load {self.load:.1f}, Linux {self.kernel}, "
            f"Python {self.python}, {libraries}"
        )


def this_machine(libraries: Iterable[str] = LIBRARIES) -> Machine:
    """The one we run on, now, with the versions of these libraries."""
    return Machine(
        node=os.uname().nodename,
        cpu=_cpu_model(read_text("/proc/cpuinfo")),
        cores=len(os.sched_getaffinity(0)),
        load=round(os.getloadavg()[0], 2),
        kernel=platform.release(),
        python=platform.python_version(),
        libraries={name: version(name) for name in libraries},
    )


QUIET = 0.3
"""Cores that others may use beside a run: the daemons at rest, and a monitoring agent or two."""

LOOK = 0.25
"""Seconds. The kernel counts in ticks of 10 ms."""


async def busy_cores() -> float:
    """How many cores are in use now, but for ours."""
    before, own = _busy_ticks(read_text("/proc/stat")), time.process_time()
    since = time.monotonic()
    await anyio.sleep(LOOK)
    passed = time.monotonic() - since
    used = (_busy_ticks(read_text("/proc/stat")) - before) / os.sysconf("SC_CLK_TCK") - (time.process_time() - own)
    return max(used / passed, 0.0)


def doubt(busy: float, cores: int) -> str:
    """Why a run beside so many busy cores is not to be trusted; empty when it is."""
    if busy <= QUIET:
        return ""
    return f"Others used {busy:.1f} of {cores} cores right before a run, so its figures cannot be trusted."


def _busy_ticks(stat: str) -> int:
    """user, nice, system, irq, softirq and steal of the first line (proc_stat(5))."""
    ticks = [int(each) for each in stat.partition("\n")[0].split()[1:9]]
    return sum(ticks) - ticks[3] - ticks[4]


def _cpu_model(cpuinfo: str) -> str:
    """``model name`` on x86; ARM kernels do not say it."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()

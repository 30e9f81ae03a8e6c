"""Where a run was made: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterable
from importlib.metadata import version

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


def _cpu_model(cpuinfo: str) -> str:
    """``model name`` on x86; ARM kernels do not say it."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()

"""Where a run was made: figures without it mean nothing."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec

from ovsnet.sandbox import binaries

LIBRARIES = ("ovsnet", "aiohttp", "anyio", "msgspec", "ovs", "prometheus-client", "uvloop")


class Machine(msgspec.Struct, frozen=True):
    """Taken before the first lap; ``load`` is the load average of the last minute."""

    date: str
    cpu: str
    cores: int
    load: float
    kernel: str
    python: str
    ovs: str
    ovn: str
    libraries: dict[str, str]

    @property
    def cpu_slug(self) -> str:
        """The processor's name as part of a file name."""
        return re.sub(r"[^a-z0-9]+", "-", self.cpu.lower()).strip("-")

    def __str__(self) -> str:
        libraries = ", ".join(f"{name} {number}" for name, number in self.libraries.items())
        return (
            f"{self.date}: {self.cpu}, {self.cores} cores, load {self.load:.1f}, Linux {self.kernel}, "
            f"Python {self.python}, {self.ovs}, {self.ovn}, {libraries}"
        )


def machine() -> Machine:
    """This machine, now."""
    programs = binaries.find()
    return Machine(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        cpu=_cpu_model(Path("/proc/cpuinfo").read_text()),
        cores=len(os.sched_getaffinity(0)),
        load=os.getloadavg()[0],
        kernel=platform.release(),
        python=platform.python_version(),
        ovs=_last_word(programs.version("ovs-vswitchd"), "OVS"),
        ovn=_last_word(programs.version("ovn-controller"), "OVN"),
        libraries={name: version(name) for name in LIBRARIES},
    )


def _cpu_model(cpuinfo: str) -> str:
    """``model name`` on x86; ARM kernels tell none."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()


def _last_word(line: str, name: str) -> str:
    """``ovs-vswitchd (Open vSwitch) 3.1.0`` in short."""
    return f"{name} {line.split()[-1]}"

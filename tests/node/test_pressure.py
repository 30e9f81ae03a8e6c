"""cgroups and pressure, in made-up trees and on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from ovsnet.node.pressure import surroundings
from ovsnet.node.process import ProcessSample, sample
from ovsnet.node.silence import Surroundings

ASLEEP = ProcessSample(pid=7, name="ovs-vswitchd", state="S", cpu_seconds=0.0, switches=0, started=0.0, at=0.0)
RUNS = replace(ASLEEP, state="R")

V1 = "nr_periods 10\nnr_throttled 4\nthrottled_time 2500000000\n"
V2 = "usage_usec 9\nnr_periods 10\nnr_throttled 4\nthrottled_usec 2500000\n"


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    (tmp_path / "proc/7").mkdir(parents=True)
    return tmp_path / "proc"


@pytest.fixture
def cgroups(tmp_path: Path) -> Path:
    return tmp_path / "cgroup"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.mark.parametrize(
    ("membership", "place", "text"),
    [
        ("0::/system.slice/ovs.service\n", "system.slice/ovs.service", V2),
        ("0::/\n", ".", V2),
        ("4:cpu,cpuacct:/kubepods/x\n1:name=systemd:/y\n", "cpu,cpuacct/kubepods/x", V1),
        ("4:cpu,cpuacct:/kubepods/x\n", "cpu/kubepods/x", V1),
        ("2:cpuacct:/a\n1:cpu:/b\n0::/c\n", "cpu/b", V1),
    ],
    ids=["v2", "v2 root of a namespace", "v1", "v1 by its link", "v1 beside an empty v2"],
)
def test_throttling_is_found_and_in_seconds(proc: Path, cgroups: Path, membership: str, place: str, text: str) -> None:
    write(proc / "7/cgroup", membership)
    write(cgroups / place / "cpu.stat", text)
    assert surroundings(ASLEEP, proc, cgroups).throttled_seconds == 2.5


@pytest.mark.parametrize("membership", ["", "0::/gone\n", "3:memory:/x\n", "0::/../../outside\n"])
def test_throttling_that_cannot_be_seen_is_unknown(proc: Path, cgroups: Path, membership: str) -> None:
    write(proc / "7/cgroup", membership)
    assert surroundings(ASLEEP, proc, cgroups) == Surroundings()


def test_cgroup_without_a_quota_counter_is_unknown(proc: Path, cgroups: Path) -> None:
    """The root cgroup of v2 counts usage only."""
    write(proc / "7/cgroup", "0::/\n")
    write(cgroups / "cpu.stat", "usage_usec 9\n")
    assert surroundings(ASLEEP, proc, cgroups).throttled_seconds is None


def test_cgroup_name_of_any_bytes_raises_nothing(proc: Path, cgroups: Path) -> None:
    (proc / "7/cgroup").write_bytes(b"0::/\xff\xfe\n")
    assert surroundings(ASLEEP, proc, cgroups).throttled_seconds is None


def test_pressure_is_a_share_of_the_last_ten_seconds(proc: Path, cgroups: Path) -> None:
    for name, share in (("cpu", "12.50"), ("io", "0.00"), ("memory", "100.00")):
        full = "full avg10=99.00 avg60=99.00 avg300=99.00 total=9\n"
        write(proc / "pressure" / name, f"some avg10={share} avg60=1.00 avg300=1.00 total=9\n{full}")
    assert surroundings(ASLEEP, proc, cgroups) == Surroundings(io_pressure=0.0, memory_pressure=1.0)
    assert surroundings(RUNS, proc, cgroups) == Surroundings(cpu_pressure=0.125)
    assert surroundings(None, proc, cgroups) == Surroundings()


def test_kernel_without_pressure_says_nothing(proc: Path, cgroups: Path) -> None:
    write(proc / "pressure/io", "full avg10=99.00 avg60=99.00 avg300=99.00 total=9\n")
    write(proc / "pressure/cpu", "some avg60=1.00\n")
    assert surroundings(ASLEEP, proc, cgroups) == surroundings(RUNS, proc, cgroups) == Surroundings()


def test_this_machine_can_be_asked() -> None:
    process = sample(os.getpid(), 0.0)
    assert process is not None
    around, asleep = surroundings(process), surroundings(replace(process, state="S"))
    for share in (around.cpu_pressure, asleep.io_pressure, asleep.memory_pressure):
        assert share is None or 0 <= share <= 1
    assert around.throttled_seconds is None or around.throttled_seconds >= 0

"""What holds a process up, as the kernel shows it: a tracer, a stopped thread, a freezer, a quota."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.node.pressure import surroundings
from ovsnet.node.process import ProcessSample, Thread, Tracer, sample, stopped_thread
from tests.patience import PATIENCE
from tests.traced import stopped

ASLEEP = ProcessSample(pid=7, name="ovs-vswitchd", state="S", cpu_seconds=0.0, switches=0, started=0.0, at=0.0)

TWO_THREADS = """
import sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.stdout.write("ready\\n")
sys.stdout.flush()
sys.stdin.read()
"""


@pytest.fixture
def child() -> Iterator[int]:
    """A process with two threads, both asleep."""
    argv = [sys.executable, "-c", TWO_THREADS]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        deadline = time.monotonic() + PATIENCE
        while not all(asleep(process.pid) for _ in range(2)):  # twice: one may have waited for the other's lock
            assert time.monotonic() < deadline
            time.sleep(0.001)
        yield process.pid
        process.kill()


def asleep(pid: int) -> bool:
    """Whether every thread of the process sleeps."""
    threads = Path(f"/proc/{pid}/task").glob("*/stat")
    return {thread.read_text().rpartition(")")[2].split()[0] for thread in threads} == {"S"}


def other_thread(pid: int) -> int:
    (tid,) = (int(name) for name in os.listdir(f"/proc/{pid}/task") if int(name) != pid)
    return tid


def us() -> Tracer:
    return Tracer(os.getpid(), Path("/proc/self/comm").read_text().rstrip("\n"))


def test_traced_main_thread_names_its_tracer(child: int) -> None:
    with stopped(child):
        found = sample(child, 1.0)
        assert found is not None
        assert (found.state, found.tracer) == ("t", us())
    after = sample(child, 1.0)
    assert after is not None
    assert (after.state in "SR", after.tracer) == (True, None)


def test_stopped_thread_is_found_with_its_tracer_while_the_main_thread_sleeps(child: int) -> None:
    assert stopped_thread(child) is None
    tid = other_thread(child)
    with stopped(tid):
        main = sample(child, 1.0)
        assert main is not None
        assert main.state == "S"
        found = stopped_thread(child)
        assert found == Thread(tid, found.name if found else "", "t", us())
        assert surroundings(main).thread == found
    assert stopped_thread(child) is None


def test_process_that_is_gone_has_no_stopped_thread(tmp_path: Path) -> None:
    assert stopped_thread(7, tmp_path) is None


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
    ("membership", "mount", "name", "thaw"),
    [
        ("0::/pods/x/ovs\n", ".", "cgroup.freeze", "echo 0 > {}/cgroup.freeze"),
        ("0::/pods/x/ovs\n", "unified", "cgroup.freeze", "echo 0 > {}/cgroup.freeze"),
        ("6:freezer:/pods/x/ovs\n0::/\n", "freezer", "freezer.self_freezing", "echo THAWED > {}/freezer.state"),
    ],
    ids=["v2", "v2 beside v1", "v1"],
)
@pytest.mark.parametrize("group", ["pods/x/ovs", "pods"], ids=["its own", "one further up"])
def test_cgroup_that_freezes_it_is_named_with_the_way_to_thaw_it(
    proc: Path, cgroups: Path, membership: str, mount: str, name: str, thaw: str, group: str
) -> None:
    write(proc / "7/cgroup", membership)
    for each in ("pods/x/ovs", "pods/x", "pods"):
        write(cgroups / mount / each / name, "1\n" if each == group else "0\n")
    found = surroundings(ASLEEP, proc, cgroups)
    frozen = cgroups / mount / group
    assert (found.frozen, found.thaw) == (str(frozen), thaw.format(frozen))


def test_cgroup_outside_of_what_can_be_seen_freezes_nobody(proc: Path, cgroups: Path) -> None:
    write(cgroups.parent / "cgroup.freeze", "1\n")
    write(cgroups / "cgroup.procs", "")
    write(proc / "7/cgroup", "0::/\n")
    assert surroundings(ASLEEP, proc, cgroups).frozen == ""


@pytest.mark.parametrize(
    ("membership", "place", "text", "quota"),
    [
        ("0::/ovs\n", "ovs", "throttled_usec 1\n", "cpu.max"),
        ("4:cpu,cpuacct:/ovs\n", "cpu,cpuacct/ovs", "throttled_time 1\n", "cpu.cfs_quota_us"),
    ],
    ids=["v2", "v1"],
)
def test_file_of_the_quota_is_named(
    proc: Path, cgroups: Path, membership: str, place: str, text: str, quota: str
) -> None:
    write(proc / "7/cgroup", membership)
    write(cgroups / place / "cpu.stat", text)
    assert surroundings(ASLEEP, proc, cgroups).quota == str(cgroups / place / quota)

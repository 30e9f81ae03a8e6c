"""What /proc says: of ourselves, of a child in each state, and in made-up trees."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.node.process import PF_EXITING, identify, pids_named, runs, sample

TICK = os.sysconf("SC_CLK_TCK")


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "3600"]) as process:
        yield process
        process.kill()


def stat_line(
    name: str = "ovs-vswitchd", state: str = "S", *, flags: int = 0, utime: int = 0, stime: int = 0, start: int = 0
) -> str:
    """As in proc(5): flags, utime, stime and starttime are the fields 9, 14, 15 and 22."""
    return f"7 ({name}) {state} 0 0 0 0 0 {flags} 0 0 0 0 {utime} {stime} 0 0 0 0 0 0 {start} 0\n"


def make(
    proc: Path,
    stat: str | bytes,
    *,
    status: str = "Name:\tx\nvoluntary_ctxt_switches:\t5\n",
    schedstat: str | None = None,
) -> Path:
    """A /proc with process 7."""
    thread = proc / "7/task/7"
    thread.mkdir(parents=True)
    (thread / "stat").write_bytes(stat.encode() if isinstance(stat, str) else stat)
    (thread / "status").write_text(status)
    if schedstat is not None:
        (thread / "schedstat").write_text(schedstat)
    return proc


def test_we_ourselves_run_and_get_on() -> None:
    before = sample(os.getpid(), 1.0)
    assert before is not None
    assert before.pid == os.getpid()
    assert before.at == 1.0
    assert before.state == "R"
    assert not before.gone
    assert 0 < before.started <= time.clock_gettime(time.CLOCK_BOOTTIME)
    while time.process_time() < before.cpu_seconds + 0.02:
        pass
    after = sample(os.getpid(), 2.0)
    assert after is not None
    assert after.cpu_seconds > before.cpu_seconds
    assert after.started == before.started


def test_nobody_has_a_pid_of_none() -> None:
    for pid in (0, -1, 2**22 + 1):
        assert sample(pid, 0.0) is None


def test_stopped_child_is_in_state_t(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
    found = sample(child.pid, 0.0)
    assert found is not None
    assert (found.state, found.gone) == ("T", False)


def test_zombie_is_gone(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    found = sample(child.pid, 0.0)
    assert found is not None
    assert found.gone


def test_process_that_exits_is_gone_though_it_runs_still(tmp_path: Path) -> None:
    found = sample(7, 0.0, make(tmp_path, stat_line(state="R", flags=0x400004)))
    assert found is not None
    assert found.gone


def test_reaped_child_is_nowhere(child: subprocess.Popen[bytes]) -> None:
    child.kill()
    child.wait()
    assert sample(child.pid, 0.0) is None


@pytest.mark.parametrize("name", ["sleep", "a b", "(x)", ") S 1 (", ""])
def test_name_may_hold_anything(tmp_path: Path, name: str) -> None:
    found = sample(7, 0.0, make(tmp_path, stat_line(name, "D")))
    assert found is not None
    assert (found.name, found.state) == (name, "D")


def test_name_of_any_bytes_raises_nothing(tmp_path: Path) -> None:
    found = sample(7, 0.0, make(tmp_path, stat_line("X").encode().replace(b"X", b"\xff\xfe")))
    assert found is not None
    assert found.state == "S"


def test_cpu_time_is_in_nanoseconds_where_the_kernel_counts_them(tmp_path: Path) -> None:
    found = sample(7, 0.0, make(tmp_path, stat_line(utime=100), schedstat="1500000000 3 4\n"))
    assert found is not None
    assert found.cpu_seconds == 1.5


@pytest.mark.parametrize("schedstat", [None, "", "x\n"])
def test_cpu_time_is_in_ticks_elsewhere(tmp_path: Path, schedstat: str | None) -> None:
    found = sample(7, 0.0, make(tmp_path, stat_line(utime=TICK, stime=2 * TICK), schedstat=schedstat))
    assert found is not None
    assert found.cpu_seconds == pytest.approx(3.0)


def test_start_is_in_seconds_since_the_boot(tmp_path: Path) -> None:
    found = sample(7, 0.0, make(tmp_path, stat_line(start=5 * TICK)))
    assert found is not None
    assert found.started == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("status", "switches"),
    [
        ("Name:\tx\nvoluntary_ctxt_switches:\t12\nnonvoluntary_ctxt_switches:\t99\n", 12),
        ("Name:\tx\nnonvoluntary_ctxt_switches:\t99\n", 0),
    ],
)
def test_only_voluntary_switches_count(tmp_path: Path, status: str, switches: int) -> None:
    """Each is a wait that ended; to be pushed off the CPU is not progress."""
    found = sample(7, 0.0, make(tmp_path, stat_line(), status=status))
    assert found is not None
    assert found.switches == switches


def test_processes_are_found_by_their_name(tmp_path: Path) -> None:
    make(tmp_path, stat_line("ovn-controller-"))
    (tmp_path / "8").mkdir()
    (tmp_path / "self").mkdir()
    assert pids_named("ovn-controller-vtep", tmp_path) == [7]  # the kernel keeps 15 bytes of a name
    assert pids_named("ovs-vswitchd", tmp_path) == []


def test_process_that_has_ended_and_was_not_waited_for_is_not_among_the_live_ones() -> None:
    rename = "import sys; open('/proc/self/comm', 'w').write('ended-one'); print(flush=True); sys.stdin.read()"
    child = subprocess.Popen([sys.executable, "-c", rename], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdout.readline()
    assert pids_named("ended-one") == [child.pid]
    child.stdin.close()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert pids_named("ended-one") == []
    child.stdout.close()
    child.wait()


@pytest.mark.parametrize(("name", "found"), [("ld-linux-x86-64", True), ("memcheck-amd64-", True), ("sh", False)])
def test_program_that_a_loader_or_valgrind_runs_is_that_program(tmp_path: Path, name: str, found: bool) -> None:
    make(tmp_path, stat_line(name))
    (tmp_path / "7" / "cmdline").write_bytes(b"/lib/x.so\0/usr/sbin/ovs-vswitchd\0unix:/run/db.sock\0")
    process = sample(7, 0.0, tmp_path)
    assert process is not None
    assert runs(process, "ovs-vswitchd", tmp_path) is found
    assert not runs(process, "ovsdb-server", tmp_path)


def test_which_process_it_is_takes_one_file(tmp_path: Path) -> None:
    """Of a daemon it is read many times in a round of checks: what it has done is another question."""
    proc = make(tmp_path, stat_line(state="T", start=5 * TICK))
    (proc / "7/task/7/status").unlink()
    found = identify(7, proc)
    assert found is not None
    assert (found.pid, found.name, found.state, found.started) == (7, "ovs-vswitchd", "T", 5.0)
    assert sample(7, 0.0, proc) is None


def test_process_that_exits_is_gone_whatever_is_asked(tmp_path: Path) -> None:
    proc = make(tmp_path, stat_line(flags=PF_EXITING))
    found, sampled = identify(7, proc), sample(7, 0.0, proc)
    assert found is not None
    assert sampled is not None
    assert found.gone
    assert sampled.gone

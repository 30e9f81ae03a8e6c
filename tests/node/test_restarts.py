"""How often a daemon was started: what was seen, and what its monitor process tells."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from ovsnet.node.pidfile import read_pidfile
from ovsnet.node.restarts import Crashes, Starts, crashes_of
from ovsnet.sandbox import binaries
from ovsnet.sandbox.waiting import until
from tests.patience import PATIENCE


def test_first_process_is_no_restart() -> None:
    starts = Starts()
    starts.saw(105.0, 5.0)
    assert starts.since(0.0) == 0


def test_restarts_are_forgotten() -> None:
    starts = Starts()
    for at in (0.0, 10.0, 20.0, 20.0, 30.0):
        starts.saw(100.0 + at, at)
    assert [starts.since(moment) for moment in (0.0, 15.0, 30.0)] == [3, 2, 0]


@pytest.mark.parametrize(("apart", "later", "count"), [(1800.0, 60.0, 10), (1800.0, 3601.0, 0), (60.0, 121.0, 0)])
def test_slow_loop_goes_on_until_it_should_have_started_twice_again(apart: float, later: float, count: int) -> None:
    starts = Starts()
    for number in range(11):
        starts.saw(number * apart, number * apart)
    assert starts.going_on(10 * apart + later) == count


def test_restarts_of_yesterday_are_forgotten() -> None:
    starts = Starts()
    for number in range(4):
        starts.saw(number * 30000.0, number * 30000.0)
    assert starts.going_on(90001.0) == 3


def test_two_processes_that_are_seen_in_turn_do_not_start() -> None:
    starts = Starts()
    for at in (0.0, 10.0) * 5:
        starts.saw(100.0 + at, at)
    assert starts.since(-1.0) == 1


def test_restart_right_after_a_restart_is_one_more() -> None:
    starts = Starts()
    for tick in (100.0, 100.02, 100.04):
        starts.saw(tick, 0.0)
    assert starts.since(-1.0) == 2


def test_process_whose_start_reads_differently_by_our_clock_is_the_same() -> None:
    starts = Starts()
    for reading in (5.0, 5.03, 4.98):
        starts.saw(105.0, reading)
    assert starts.since(-1.0) == 0


def test_process_without_a_monitor_tells_nothing(tmp_path: Path) -> None:
    assert crashes_of(os.getpid()) is None
    assert crashes_of(1, tmp_path) is None


@pytest.mark.parametrize(
    ("shown", "how"),
    [
        ("died, killed (Aborted), core dumped)", "killed (Aborted), core dumped"),
        ("died, killed (Segmentation fault))", "killed (Segmentation fault)"),
        ("died, killed (Segm...", "killed (Segm..."),
        ("died, killed (Aborted), co...", "killed (Aborted), co..."),
    ],
)
def test_title_that_has_no_room_for_all_tells_the_crashes(tmp_path: Path, shown: str, how: str) -> None:
    """It has as much as the command line had: ``ovs-vswitchd --pidfile --detach --monitor`` is a short one."""
    me, monitor = tmp_path / "1000000", tmp_path / str(os.getpid())
    for process in (me, monitor):
        process.mkdir()
    (me / "stat").write_text(f"1000000 (ovs-vswitchd) S {os.getpid()} 1 1 0")
    (monitor / "task").symlink_to(f"/proc/{os.getpid()}/task")
    (monitor / "cmdline").write_bytes(f"ovs-vswitchd: monitoring pid 9 (3 crashes: pid 8 {shown}\0\0".encode())
    crashes = crashes_of(1000000, tmp_path)
    assert crashes is not None
    assert (crashes.count, crashes.how) == (3, how)


async def test_monitor_of_a_real_daemon_tells_its_crashes(tmp_path: Path) -> None:
    found, pidfile = binaries.find(), tmp_path / "server.pid"
    words = (
        "--detach",
        "--no-chdir",
        "--monitor",
        f"--pidfile={pidfile}",
        f"--unixctl={tmp_path}/ctl",
        "-vconsole:off",
    )
    environment = os.environ | found.environment()
    subprocess.run([str(found.path("ovsdb-server")), "--no-db", *words], check=False, env=environment)  # noqa: ASYNC221
    first = read_pidfile(pidfile)
    assert first is not None
    try:
        assert crashes_of(first) is None
        os.kill(first, signal.SIGSEGV)

        def crashed() -> Crashes | None:
            pid = read_pidfile(pidfile)
            return None if pid in (None, first) else crashes_of(pid or 0)

        crashes = await until(crashed, 20.0, "It was never restarted.")
        assert crashes.count == 1
        assert 0.0 < crashes.over < PATIENCE
        assert crashes.how.startswith("killed (Segmentation fault)")
    finally:
        os.kill(read_pidfile(pidfile) or first, signal.SIGTERM)

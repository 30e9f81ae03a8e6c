"""One daemon: when its silence begins and ends, and which process stands for it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from ovsnet.io.address import Address
from ovsnet.node.components import Component
from ovsnet.node.daemon import LAST_FEW, SIGHTED_FOR, Daemon
from ovsnet.node.presence import Presence
from ovsnet.node.process import sample
from ovsnet.node.rundir import Rundir
from ovsnet.node.silence import Verdict

HUNG_AFTER = 3.0

SLEEP = Component(daemon="sleep", name="sleep", title="sleep", sockets=())


class Clocks:
    """Time, and when the daemon was heard; both stand until the test moves them."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.heard_at = 0.0


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """It sleeps, twice in a row: its loader has closed what it opened."""
    with subprocess.Popen(["sleep", "3600"]) as process:
        asleep = 0
        while asleep < 2:
            time.sleep(0.01)
            found = sample(process.pid, 0.0)
            asleep = asleep + 1 if found is not None and found.name == "sleep" and found.state == "S" else 0
        yield process
        process.kill()


@pytest.fixture
def daemon(clocks: Clocks, tmp_path: Path) -> Daemon:
    """A daemon that is called sleep, with a pidfile where a test may write one."""
    return Daemon(SLEEP, Rundir(tmp_path, tmp_path), lambda: clocks.now, lambda: clocks.heard_at)


def freeze(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)


def test_process_behind_the_socket_is_preferred(daemon: Daemon, child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    (tmp_path / "sleep.pid").write_text(str(child.pid))
    daemon.met(os.getpid())
    found = daemon.process()
    assert found is not None
    assert found.pid == os.getpid()


def test_pidfile_stands_in_where_no_socket_tells(
    daemon: Daemon, child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert daemon.process() is None
    (tmp_path / "sleep.pid").write_text(str(child.pid))
    found = daemon.process()
    assert found is not None
    assert found.pid == child.pid


def test_reused_pid_in_the_pidfile_is_not_taken(daemon: Daemon, tmp_path: Path) -> None:
    """It runs, under another name."""
    (tmp_path / "sleep.pid").write_text(str(os.getpid()))
    assert daemon.process() is None


def test_process_that_is_gone_gives_way_to_the_pidfile(
    daemon: Daemon, child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    """The daemon was started again, and no connection has told us yet."""
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
        daemon.met(gone.pid)
    (tmp_path / "sleep.pid").write_text(str(child.pid))
    found = daemon.process()
    assert found is not None
    assert found.pid == child.pid


def test_start_is_told_by_our_clock_and_a_new_process_is_told_once(
    daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]
) -> None:
    assert not daemon.met(None)
    assert daemon.started_at is None
    assert daemon.met(child.pid)
    assert daemon.started_at is not None
    assert daemon.started_at <= clocks.now
    assert not daemon.met(child.pid)


def test_start_of_a_process_that_cannot_be_seen_is_told_by_its_socket(tmp_path: Path, clocks: Clocks) -> None:
    """An agent in a pid namespace of its own. The socket of a bridge is made later, and tells nothing."""
    component = replace(SLEEP, sockets=("sleep.*.ctl", "*.mgmt"))
    daemon = Daemon(component, Rundir(tmp_path, tmp_path), lambda: clocks.now)
    first, second, bridge = (tmp_path / name for name in ("sleep.7.ctl", "sleep.8.ctl", "br.mgmt"))
    now = time.time()
    for path, age in ((first, 100.0), (second, 2.0), (bridge, 1.0)):
        path.touch()
        os.utime(path, (now - age, now - age))
    assert daemon.met(None, Address.unix(first))
    assert daemon.started_at == pytest.approx(clocks.now - 100.0, abs=1.0)
    assert not daemon.met(None, Address.unix(first))
    assert not daemon.met(None, Address.unix(bridge))
    assert daemon.starts.since(0.0) == 0
    assert daemon.met(None, Address.unix(second))
    assert daemon.started_at == pytest.approx(clocks.now - 2.0, abs=1.0)
    assert daemon.starts.since(0.0) == 1
    second.unlink()
    assert not daemon.met(None, Address.unix(second))


def test_age_is_that_of_the_process_or_of_the_pidfile_it_holds(
    daemon: Daemon, child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert daemon.age(None) == 0.0, "it has none yet"
    pidfile = tmp_path / "sleep.pid"
    pidfile.write_text("7")
    os.utime(pidfile, (time.time() - 40.0,) * 2)
    assert daemon.age(None) == pytest.approx(40.0, abs=5.0)
    os.utime(pidfile, (time.time() + 3600.0,) * 2)
    assert daemon.age(None) is None
    assert daemon.age(child.pid) is None
    daemon.met(child.pid)
    assert daemon.age(child.pid) == pytest.approx(0.0, abs=60.0)


def test_another_process_is_another_start(child: subprocess.Popen[bytes], tmp_path: Path) -> None:
    daemon = Daemon(SLEEP, Rundir(tmp_path, tmp_path), time.monotonic)
    assert daemon.met(os.getpid())
    assert daemon.met(child.pid)
    assert daemon.peer_pid == child.pid


def test_silence_is_explained_by_the_process(daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]) -> None:
    daemon.met(child.pid)
    freeze(child)
    daemon.asked()
    clocks.now += 1.0
    assert daemon.look(HUNG_AFTER).verdict is Verdict.LATE
    clocks.now += 2.0
    found = daemon.look(HUNG_AFTER)
    assert (found.verdict, found.values["silent_seconds"]) == (Verdict.HUNG, 3.0)
    assert daemon.late


def test_our_own_lag_is_added_to_the_limit(daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]) -> None:
    daemon.met(child.pid)
    freeze(child)
    daemon.asked()
    clocks.now += HUNG_AFTER
    assert daemon.look(HUNG_AFTER, own_lag=1.0).verdict is Verdict.LATE
    clocks.now += 1.0
    assert daemon.look(HUNG_AFTER, own_lag=1.0).verdict is Verdict.HUNG


def test_silence_begins_with_the_first_question_that_stays_open(
    daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]
) -> None:
    daemon.met(child.pid)
    freeze(child)
    for _ in range(4):
        daemon.asked()
        clocks.now += 1.0
    assert daemon.look(HUNG_AFTER).values["silent_seconds"] == 4.0


def test_anything_that_is_heard_ends_the_silence(
    daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]
) -> None:
    daemon.met(child.pid)
    freeze(child)
    daemon.asked()
    clocks.now += 10.0
    assert daemon.look(HUNG_AFTER).verdict is Verdict.HUNG
    clocks.heard_at = clocks.now
    clocks.now += 0.5
    assert not daemon.late
    daemon.asked()
    assert daemon.look(HUNG_AFTER).verdict is Verdict.LATE


def test_daemon_that_is_known_to_be_gone_has_no_silence(
    daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]
) -> None:
    daemon.met(child.pid)
    freeze(child)
    daemon.asked()
    clocks.now += 10.0
    daemon.look(HUNG_AFTER)
    assert daemon.late
    child.kill()
    child.wait()
    assert daemon.conclude(daemon.search())[0].presence is Presence.GONE
    assert not daemon.late


def test_daemon_on_another_host_is_judged_by_its_silence_alone(
    clocks: Clocks, child: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    remote = replace(SLEEP, remote=True)
    daemon = Daemon(remote, Rundir(tmp_path, tmp_path), lambda: clocks.now, lambda: clocks.heard_at)
    daemon.distant = True
    (tmp_path / "sleep.pid").write_text(str(child.pid))
    daemon.asked()
    clocks.now += 1.0
    assert daemon.look(HUNG_AFTER).verdict is Verdict.LATE
    clocks.now += 2.0
    found = daemon.look(HUNG_AFTER)
    assert found.verdict is Verdict.HUNG
    assert "another host" in found.sentence


@pytest.mark.parametrize("silent", [False, True])
def test_server_that_moved_is_not_judged_by_the_process_of_the_one_before(
    clocks: Clocks, child: subprocess.Popen[bytes], tmp_path: Path, silent: bool
) -> None:
    """The former one runs on here, or was silent when ovn-remote was changed."""
    daemon = Daemon(replace(SLEEP, remote=True), Rundir(tmp_path, tmp_path), lambda: clocks.now)
    daemon.met(child.pid)
    if silent:
        daemon.asked()
        clocks.now += HUNG_AFTER
        daemon.look(HUNG_AFTER)
    daemon.moved(distant=True)
    daemon.asked()
    assert not daemon.late
    clocks.now += HUNG_AFTER / 2
    assert daemon.look(HUNG_AFTER).verdict is Verdict.LATE
    clocks.now += HUNG_AFTER
    assert daemon.look(HUNG_AFTER).verdict is Verdict.HUNG


def test_silence_of_one_of_several_servers_proves_nothing_while_another_is_still_to_be_asked(
    clocks: Clocks, tmp_path: Path
) -> None:
    searching = True
    daemon = Daemon(replace(SLEEP, remote=True), Rundir(tmp_path, tmp_path), lambda: clocks.now)
    daemon.distant, daemon.others_to_ask = True, lambda: searching
    daemon.asked()
    clocks.now += 100.0
    assert daemon.look(HUNG_AFTER).verdict is Verdict.LATE
    searching = False
    assert daemon.look(HUNG_AFTER).verdict is Verdict.HUNG


def test_process_that_ends_in_the_silence_is_gone(
    daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]
) -> None:
    daemon.met(child.pid)
    daemon.asked()
    clocks.now += 0.1
    daemon.look(HUNG_AFTER)
    child.kill()
    child.wait()
    assert daemon.look(HUNG_AFTER).verdict is Verdict.GONE


def test_process_that_we_saw_and_that_is_no_more_has_ended(
    daemon: Daemon, clocks: Clocks, child: subprocess.Popen[bytes]
) -> None:
    daemon.met(child.pid)
    assert daemon.conclude(daemon.search())[0].presence is Presence.RUNS
    assert daemon.ended_at is None
    child.kill()
    child.wait()
    clocks.now += SIGHTED_FOR
    assert daemon.conclude(daemon.search())[0].presence is Presence.GONE
    assert daemon.ended_at == clocks.now


def test_process_that_we_could_never_see_is_not_said_to_have_ended(daemon: Daemon) -> None:
    daemon.met(None)
    daemon.conclude(daemon.search())
    assert daemon.ended_at is None


def test_silence_of_our_own_daemon_at_an_address_of_another_host_proves_nothing(daemon: Daemon, clocks: Clocks) -> None:
    daemon.distant = True
    daemon.asked()
    clocks.now += 100.0
    assert daemon.look(HUNG_AFTER).verdict is Verdict.UNSEEN


@pytest.mark.parametrize(("left", "exhausted"), [(0, True), (LAST_FEW, True), (LAST_FEW + 1, False)])
def test_daemon_with_hardly_a_descriptor_is_out_of_them(
    daemon: Daemon, child: subprocess.Popen[bytes], left: int, exhausted: bool
) -> None:
    """A client that left frees one or two until somebody who waits is accepted, which takes a busy daemon long."""
    daemon.met(child.pid)
    taken = len(os.listdir(f"/proc/{child.pid}/fd"))
    resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (taken + left, 4096))
    found = daemon.out_of_descriptors()
    assert (found is not None) is exhausted
    if found is not None:
        assert (found[0], found[1].left) == (child.pid, left)


def test_daemon_that_is_heard_again_turns_nobody_away(daemon: Daemon, clocks: Clocks) -> None:
    assert not daemon.turned_away
    daemon.refused()
    assert daemon.turned_away
    clocks.heard_at = clocks.now = 1001.0
    assert not daemon.turned_away


def test_connection_waits_in_the_queue_of_a_daemon_that_is_late_and_not_in_a_full_one(
    daemon: Daemon, clocks: Clocks
) -> None:
    daemon.asked()
    assert not daemon.would_wait
    clocks.now += 1
    daemon.look(HUNG_AFTER)
    assert daemon.would_wait
    daemon.refused()
    assert not daemon.would_wait

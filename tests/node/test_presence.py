"""Whether a daemon runs: the table, and what is found of real daemons whose files were tampered with."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import product
from pathlib import Path

import pytest

from ovsnet.node.components import COMPONENTS
from ovsnet.node.pidfile import Lock
from ovsnet.node.presence import Evidence, Presence, Sighting, judge, look_for
from ovsnet.node.process import ProcessSample, sample
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.namespaces import OTHER_PID_NAMESPACE, OWN_MOUNTS
from tests.node.conftest import told

MET = 11

ALL = [
    Evidence(*found)
    for found in product((None, False, True), Lock, (None, 12), ((), (13,)), ((), (14,)), (False, True), (False, True))
]
"""Every evidence there can be, each process with a pid of its own."""

Shows = Callable[[Evidence], bool]

RUNS: dict[str, Shows] = {
    "the process that we met": lambda found: found.met_lives is True,
    "the process that the pidfile names": lambda found: found.named is not None,
    "the holder of the pidfile's lock": lambda found: found.lock is Lock.HELD,
    "a process that listens here": lambda found: bool(found.here),
}
"""Each proves by itself that the daemon runs."""

GONE: dict[str, Shows] = {
    "the process that we met has ended": lambda found: found.met_lives is False,
    "all processes can be seen": lambda found: found.sighted and not found.elsewhere,
    "its pidfile alone is left over": lambda found: (
        found.lock is Lock.FREE and found.others_locked and not found.elsewhere
    ),
}
"""Each proves its end, where nothing shows that it runs."""


def expected(found: Evidence) -> Presence:
    if any(shows(found) for shows in RUNS.values()):
        return Presence.RUNS
    return Presence.GONE if any(shows(found) for shows in GONE.values()) else Presence.UNSEEN


@pytest.mark.parametrize("found", ALL, ids=str)
def test_table(found: Evidence) -> None:
    sighting = judge(found, MET)
    assert sighting.presence is expected(found)
    assert sighting.pid == shown(found)
    assert sighting.pid is None or str(sighting.pid) in sighting.sentence


def shown(found: Evidence) -> int | None:
    """The process of the first row that applies."""
    if found.met_lives:
        return MET
    if found.named is not None or found.lock is Lock.HELD:
        return found.named
    return next(iter(found.here), None)


@pytest.mark.parametrize("found", [each for each in ALL if each.met_lives is None and each.elsewhere], ids=str)
def test_process_elsewhere_that_may_be_it_forbids_to_call_it_gone(found: Evidence) -> None:
    """An empty or stale mount beside an installation elsewhere proves nothing."""
    assert judge(found, None).presence is not Presence.GONE


DAEMONS = ("ovsdb-server", "ovs-vswitchd", "ovn-controller", "southbound")


def name_in_the_sandbox(daemon: str) -> str:
    return {"southbound": "ovn-sb"}.get(daemon, daemon)


def met(node: Sandbox, daemon: str) -> ProcessSample:
    """The process as a connection to it would have shown it."""
    found = sample(node.pid(name_in_the_sandbox(daemon)), time.monotonic())
    assert found is not None
    return found


def sight(
    directory: Path, daemon: str, process: ProcessSample | None = None, neighbours: tuple[int, ...] = ()
) -> Sighting:
    rundir = Rundir(directory, directory)
    found = look_for(COMPONENTS[daemon], rundir, process, neighbours=neighbours)
    return judge(found, None if process is None else process.pid)


def runs(directory: Path, daemon: str, pid: int) -> bool:
    found = sight(directory, daemon)
    return (found.presence, found.pid) == (Presence.RUNS, pid)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_daemon_that_runs_is_found_by_its_pidfile(shared_node: Sandbox, daemon: str) -> None:
    assert runs(shared_node.rundir, daemon, shared_node.pid(name_in_the_sandbox(daemon)))


@pytest.mark.restored
@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("end", ["stop", "kill"])
@pytest.mark.parametrize("daemon", DAEMONS)
async def test_daemon_that_ended_is_gone_however_it_ended(node: Sandbox, daemon: str, end: str, held: bool) -> None:
    """SIGTERM removes its pidfile and its sockets, SIGKILL leaves both."""
    process = met(node, daemon) if held else None
    await getattr(node, end)(name_in_the_sandbox(daemon))
    found = sight(node.rundir, daemon, process)
    assert (found.presence, found.pid) == (Presence.GONE, None)


@pytest.mark.restored
@pytest.mark.parametrize("daemon", DAEMONS)
async def test_daemon_that_was_restarted_is_another_process_that_runs(node: Sandbox, daemon: str) -> None:
    before = met(node, daemon)
    await node.restart(name_in_the_sandbox(daemon))
    found = sight(node.rundir, daemon, before)
    assert (found.presence, found.pid) == (Presence.RUNS, node.pid(name_in_the_sandbox(daemon)))


def removed(pidfile: Path) -> None:
    pidfile.unlink()


def replaced(pidfile: Path) -> None:
    """Another file with the same number: nobody holds a lock on it."""
    text = pidfile.read_text()
    pidfile.unlink()
    pidfile.write_text(text)


def stale(pidfile: Path) -> None:
    pidfile.unlink()
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    pidfile.write_text(f"{ended.pid}\n")


def reused(pidfile: Path) -> None:
    """It names a live process of another program."""
    pidfile.unlink()
    pidfile.write_text(f"{os.getpid()}\n")


def overwritten(pidfile: Path) -> None:
    """In the same file, which the daemon has locked."""
    pidfile.write_text(f"{os.getpid()}\n")


def garbled(pidfile: Path) -> None:
    pidfile.unlink()
    pidfile.write_text("x\n")


@contextlib.contextmanager
def put_back(pidfile: Path) -> Iterator[None]:
    """The very file, with the lock on it, and its text."""
    text, aside = pidfile.read_text(), pidfile.with_suffix(".aside")
    aside.hardlink_to(pidfile)
    try:
        yield
    finally:
        pidfile.unlink(missing_ok=True)  # rename(2) does nothing between two names of one file
        aside.rename(pidfile)
        pidfile.write_text(text)


TAMPERING = [removed, replaced, stale, reused, overwritten, garbled]


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("tamper", TAMPERING, ids=lambda each: each.__name__)
@pytest.mark.parametrize("daemon", DAEMONS)
def test_pidfile_that_lies_makes_no_daemon_gone(
    shared_node: Sandbox, daemon: str, tamper: Callable[[Path], None], held: bool
) -> None:
    pidfile = COMPONENTS[daemon].pidfile(Rundir(shared_node.rundir, shared_node.rundir))
    with put_back(pidfile):
        tamper(pidfile)
        found = sight(shared_node.rundir, daemon, met(shared_node, daemon) if held else None)
    assert found.presence is Presence.RUNS
    assert found.pid == shared_node.pid(name_in_the_sandbox(daemon))


SOCKETS = {
    "ovsdb-server": ("db.sock", "ovsdb-server.*.ctl"),
    "ovs-vswitchd": ("br-int.mgmt", "ovs-vswitchd.*.ctl"),
    "ovn-controller": ("ovn-controller.*.ctl",),
    "southbound": ("ovnsb_db.sock", "ovnsb_db.ctl"),
}


@pytest.mark.parametrize("pidfile", [True, False])
@pytest.mark.parametrize("daemon", DAEMONS)
def test_daemon_without_any_name_in_the_run_directory_runs(shared_node: Sandbox, daemon: str, pidfile: bool) -> None:
    """The kernel still knows where it has bound its sockets."""
    names = [path for pattern in SOCKETS[daemon] for path in shared_node.rundir.glob(pattern)]
    assert len(names) == len(SOCKETS[daemon])
    names += [] if pidfile else [COMPONENTS[daemon].pidfile(Rundir(shared_node.rundir, shared_node.rundir))]
    with away(names):
        assert runs(shared_node.rundir, daemon, shared_node.pid(name_in_the_sandbox(daemon)))


@contextlib.contextmanager
def away(paths: Iterable[Path]) -> Iterator[None]:
    moved = {path: path.with_name(f"{path.name}.away") for path in paths}
    for path, aside in moved.items():
        path.rename(aside)
    try:
        yield
    finally:
        for path, aside in moved.items():
            aside.rename(path)


@pytest.mark.parametrize("daemon", DAEMONS)
def test_empty_directory_proves_nothing(shared_node: Sandbox, tmp_path: Path, daemon: str) -> None:
    """The daemons of another directory may be those that were meant."""
    found = sight(tmp_path, daemon)
    assert (found.presence, found.pid) == (Presence.UNSEEN, None)
    assert str(shared_node.pid(name_in_the_sandbox(daemon))) in found.sentence


@pytest.mark.parametrize("link", ["hard", "symbolic"])
@pytest.mark.parametrize("shown", ["db.sock", "br-int.mgmt"])
def test_directory_that_shows_only_some_sockets_proves_nothing_by_itself(
    shared_node: Sandbox, tmp_path: Path, shown: str, link: str
) -> None:
    target = shared_node.rundir / shown
    (tmp_path / shown).hardlink_to(target) if link == "hard" else (tmp_path / shown).symlink_to(target)
    for daemon in DAEMONS:
        assert sight(tmp_path, daemon).presence is Presence.UNSEEN


@pytest.mark.parametrize("neighbour", ["ovsdb-server", "ovs-vswitchd"])
@pytest.mark.parametrize("daemon", DAEMONS)
def test_one_daemon_that_we_are_connected_to_shows_where_the_others_are(
    shared_node: Sandbox, tmp_path: Path, daemon: str, neighbour: str
) -> None:
    if daemon != neighbour:
        found = sight(tmp_path, daemon, neighbours=(shared_node.pid(neighbour),))
        assert (found.presence, found.pid) == (Presence.RUNS, shared_node.pid(name_in_the_sandbox(daemon)))


@pytest.mark.restored
async def test_one_daemon_that_we_are_connected_to_proves_that_another_is_gone(node: Sandbox, tmp_path: Path) -> None:
    await node.kill("ovs-vswitchd")
    assert sight(tmp_path, "ovs-vswitchd").presence is not Presence.RUNS
    found = sight(tmp_path, "ovs-vswitchd", neighbours=(node.pid("ovsdb-server"),))
    assert found.presence is Presence.GONE


@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd"])
def test_symbolic_link_to_the_run_directory_is_the_run_directory(
    shared_node: Sandbox, tmp_path: Path, daemon: str
) -> None:
    link = tmp_path / "run"
    link.symlink_to(shared_node.rundir)
    with away([shared_node.rundir / f"{daemon}.pid"]):
        assert runs(link, daemon, shared_node.pid(daemon))


async def test_installation_beside_it_neither_stands_in_nor_is_taken_for_it(shared_node: Sandbox) -> None:
    async with Sandbox(ovn=False) as other:
        assert runs(other.rundir, "ovs-vswitchd", other.pid("ovs-vswitchd"))
        await other.stop("ovs-vswitchd")
        assert not list(other.rundir.glob("ovs-vswitchd*"))
        assert sight(other.rundir, "ovs-vswitchd").presence is Presence.GONE
        assert runs(shared_node.rundir, "ovs-vswitchd", shared_node.pid("ovs-vswitchd"))


SIGHT = """
import sys
from pathlib import Path
from ovsnet.node.components import COMPONENTS
from ovsnet.node.presence import judge, look_for
from ovsnet.node.rundir import Rundir
rundir = Rundir(Path(sys.argv[1]), Path(sys.argv[1]))
print(judge(look_for(COMPONENTS[sys.argv[2]], rundir, None), None).presence)
"""


@pytest.mark.restored
async def test_from_another_pid_namespace_the_pidfiles_lock_tells_all_there_is(node: Sandbox) -> None:
    def seen() -> str:
        return told(SIGHT, node.rundir, "ovs-vswitchd", prefix=OTHER_PID_NAMESPACE)

    assert seen() == "runs"
    with away([node.rundir / "ovs-vswitchd.pid"]):
        assert seen() == "unseen"
    await node.kill("ovs-vswitchd")
    assert seen() == "gone"
    with away([node.rundir / "ovs-vswitchd.pid"]):
        assert seen() == "unseen"


@pytest.mark.parametrize("daemon", ["ovsdb-server", "ovs-vswitchd"])
def test_mount_that_shows_one_socket_alone_proves_nothing(shared_node: Sandbox, tmp_path: Path, daemon: str) -> None:
    (tmp_path / "db.sock").touch()
    mount = f"mount --bind {shared_node.rundir}/db.sock {tmp_path}/db.sock"
    prefix = (*OWN_MOUNTS, "sh", "-c", f'{mount} && exec "$@"', "sh")
    assert told(SIGHT, tmp_path, daemon, prefix=prefix) == "unseen"


def process(proc: Path, pid: int, name: str) -> None:
    """A made-up process, whose descriptors may not be read."""
    thread = proc / str(pid) / "task" / str(pid)
    thread.mkdir(parents=True)
    (thread / "stat").write_text(f"{pid} ({name}) S {' '.join(['0'] * 40)}\n")
    (thread / "status").write_text("Name:\tx\nvoluntary_ctxt_switches:\t1\n")


def made_up(tmp_path: Path, *names: str) -> Evidence:
    """What is found where the processes have these names, from 1 on, and the run directory is empty."""
    proc = tmp_path / "proc"
    (proc / "self" / "ns").mkdir(parents=True)
    (proc / "self" / "ns" / "pid").symlink_to("pid:[4026531836]")
    for pid, name in enumerate(names, start=1):
        if name:
            process(proc, pid, name)
    rundir = Rundir(tmp_path / "run", tmp_path / "run")
    return look_for(COMPONENTS["ovs-vswitchd"], rundir, None, proc=proc)


@pytest.mark.parametrize(
    ("names", "presence"),
    [
        (("init", "ovsdb-server"), Presence.GONE),
        (("init", "ovs-vswitchd"), Presence.UNSEEN),
        (("", "ovsdb-server"), Presence.UNSEEN),
    ],
    ids=["all is seen", "one may be it", "hidepid"],
)
def test_who_sees_every_process_of_the_host_knows_that_there_is_none(
    tmp_path: Path, names: tuple[str, ...], presence: Presence
) -> None:
    assert judge(made_up(tmp_path, *names), None).presence is presence

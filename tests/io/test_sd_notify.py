"""What a service manager hears of us, and what it asks for."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.io.sd_notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.settimeout(30)
        yield sock


@pytest.fixture
def notifier(manager: socket.socket) -> Notifier:
    return Notifier.of({"NOTIFY_SOCKET": manager.getsockname()}, 7)


def test_ready_comes_with_the_diagnosis_in_words(manager: socket.socket, notifier: Notifier) -> None:
    notifier.ready("healthy: All is well.")
    assert manager.recv(4096) == b"READY=1\nSTATUS=healthy: All is well."


def test_status_cannot_smuggle_another_assignment_in(manager: socket.socket, notifier: Notifier) -> None:
    notifier.status("bad\nMAINPID=1\n  end ")
    assert manager.recv(4096) == b"STATUS=bad MAINPID=1 end"


def test_reload_stop_and_life_are_told(manager: socket.socket, notifier: Notifier) -> None:
    notifier.reloading()
    state, usec = manager.recv(4096).split(b"\n")
    assert state == b"RELOADING=1"
    assert int(usec.removeprefix(b"MONOTONIC_USEC=")) > 0
    notifier.stopping()
    assert manager.recv(4096).startswith(b"STOPPING=1\n")
    notifier.alive()
    assert manager.recv(4096) == b"WATCHDOG=1"


def test_abstract_socket_is_reached() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("")  # the kernel gives it an abstract name (unix(7), autobind)
        sock.settimeout(30)
        Notifier.of({"NOTIFY_SOCKET": "@" + sock.getsockname()[1:].decode()}, 7).alive()
        assert sock.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize("path", ["", "vsock:2:1", "relative"])
def test_nobody_is_told_where_nobody_asked_in_a_way_we_know(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("relative")
        sock.setblocking(False)
        Notifier.of({"NOTIFY_SOCKET": path}, 7).alive()
        with pytest.raises(BlockingIOError):
            sock.recv(4096)


def test_manager_that_went_away_does_not_end_us(manager: socket.socket, notifier: Notifier) -> None:
    """Nothing is raised."""
    manager.close()
    notifier.alive()


def test_manager_that_reads_nothing_does_not_hold_us_up(manager: socket.socket, notifier: Notifier) -> None:
    for _ in range(2000):  # net.unix.max_dgram_qlen is far below
        notifier.alive()
    assert manager.recv(4096) == b"WATCHDOG=1"


@pytest.mark.parametrize(
    ("environ", "period"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "3000000"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "7"}, 3.0),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_watchdog_is_fed_only_where_it_is_meant_for_us(environ: dict[str, str], period: float | None) -> None:
    assert Notifier.of({"NOTIFY_SOCKET": "/nowhere", **environ}, 7).watchdog == period

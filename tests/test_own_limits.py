"""A limit of our own is not a fact about what was to be read or met."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnet.errors import OutOfMemory, OwnLimit, SocketMissing, own_limit
from ovsnet.io.address import Address
from ovsnet.io.connect import connect_error, try_connect_unix
from ovsnet.node.descriptors import descriptors
from ovsnet.node.pidfile import pidfile_locked, read_pidfile
from ovsnet.node.process import pids_named, sample
from tests.exhausted import no_descriptor_left


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(errno.EMFILE, "Too many open files"), OwnLimit),
        (OSError(errno.ENFILE, "Too many open files in system"), OwnLimit),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), OutOfMemory),
        (MemoryError(), OutOfMemory),
    ],
    ids=["EMFILE", "ENFILE", "ENOMEM", "MemoryError"],
)
def test_limit_of_ours_is_told_as_ours(error: Exception, kind: type[OwnLimit]) -> None:
    found = own_limit(error)
    assert type(found) is kind
    assert found.remedy
    if isinstance(error, OSError):
        assert type(connect_error(Address.unix("/run/db.sock"), error)) is kind


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "No such file"), KeyError("x"), SocketMissing("No.")])
def test_anything_else_is_no_limit_of_ours(error: Exception) -> None:
    assert own_limit(error) is None


def without_descriptors(ask: Callable[[], object]) -> None:
    failure: BaseException | None = None
    with no_descriptor_left():
        try:
            ask()
        except OwnLimit as error:  # pytest.raises would open files in the block
            failure = error
    assert failure is not None


def test_socket_that_cannot_be_made_says_nothing_of_the_daemon(tmp_path: Path) -> None:
    path = tmp_path / "db.sock"
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(path))
        daemon.listen()
        without_descriptors(lambda: try_connect_unix(Address.unix(path)))
        try_connect_unix(Address.unix(path)).close()


def test_process_that_cannot_be_read_has_not_ended() -> None:
    without_descriptors(lambda: sample(os.getpid(), 0.0))
    without_descriptors(lambda: pids_named("ovs-vswitchd"))
    without_descriptors(lambda: descriptors("self"))


def test_pidfile_that_cannot_be_opened_is_not_missing(tmp_path: Path) -> None:
    path = tmp_path / "ovs-vswitchd.pid"
    path.write_text(f"{os.getpid()}\n")
    without_descriptors(lambda: read_pidfile(path))
    without_descriptors(lambda: pidfile_locked(path))
    assert read_pidfile(path) == os.getpid()

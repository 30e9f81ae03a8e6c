"""What the tests of this host's files and processes share."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

LockFile = Callable[[Path], "subprocess.Popen[str]"]


@pytest.fixture
def lock() -> Iterator[LockFile]:
    """Have another process lock a pidfile, as a daemon does its own."""
    code = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print('held', flush=True)"
    holders = []

    def locked(pidfile: Path) -> subprocess.Popen[str]:
        argv = [sys.executable, "-c", code + "; sys.stdin.read()", str(pidfile)]
        holder = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        return holder

    yield locked
    for holder in holders:
        holder.kill()
        holder.communicate()


def told(code: str, *arguments: object, prefix: tuple[str, ...] = ()) -> str:
    """What Python code prints in a process of its own, started through ``prefix``."""
    argv = [*prefix, sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()

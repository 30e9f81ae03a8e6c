"""However much is read, little of it is held."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from ovsnet.explain.clock import stamp
from tests.explain.material import EPOCH, MGMT, node

pytestmark = pytest.mark.heavy

SIZE, MOST = 200_000_000, 200_000
"""Bytes of noise, and kilobytes of memory."""
NOISE = (
    "dpif(handler5)|WARN|system@ovs-system: execute ct(commit) failed (Invalid argument) on packet tcp",
    "connmgr|INFO|br-int<->unix#42: 18 flow_mods in the last 0 s (9 adds, 9 deletes)",
    f"rconn|INFO|{MGMT}: connecting...",
    "reconnect|DBG|tcp:10.0.0.1:6642: idle 5000 ms, sending inactivity probe",
    "raft|INFO|term 4: starting election",
)
MEASURED = """
import atexit, re, sys
from pathlib import Path
from ovsnet.cli import main

def peak():
    print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1], file=sys.stderr)

atexit.register(peak)
main()
"""
"""``ovsnet``, and last its most memory in kilobytes. The ``ru_maxrss`` of a child has that of its parent in it."""

BLOCK = 10_000
"""Lines that are made at once, each a millisecond after the one before."""


def _noise(begin: float) -> bytes:
    lines = (f"{stamp(begin + n / 1000)}|{n + 10:05}|{NOISE[n % len(NOISE)]}\n" for n in range(BLOCK))
    return "".join(lines).encode()


def _write(path: Path, opened: Callable[[Path], BinaryIO]) -> None:
    """A log whose last line is worth something: ovn-controller lost br-int.mgmt, and has it again."""
    written, begin = 0, EPOCH + 200
    with opened(path) as file:
        file.write(node()[2].text)
        while written < SIZE:
            written += file.write(_noise(begin))
            begin += BLOCK / 1000
        paused, resumed = ("User triggered execution pause.", "User triggered execution resume.")
        for at, number, text in ((begin, BLOCK + 10, paused), (begin + 60, BLOCK + 11, resumed)):
            file.write(f"{stamp(at)}|{number:05}|main|INFO|{text}\n".encode())


def _plain(path: Path) -> BinaryIO:
    return path.open("wb")


def _packed(path: Path) -> BinaryIO:
    return gzip.open(path, "wb", compresslevel=1)  # type: ignore[return-value]


@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "opened"), [("ovn-controller.log", _plain), ("ovn-controller.log.1.gz", _packed)])
def test_noise_streams_through(tmp_path: Path, name: str, opened: Callable[[Path], BinaryIO]) -> None:
    _write(tmp_path / name, opened)
    command = [sys.executable, "-c", MEASURED, "explain", "--json", str(tmp_path / name)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "controller-paused" in [each["code"] for each in json.loads(done.stdout)["outages"]]
    assert int(done.stderr.splitlines()[-1]) < MOST

"""What a process holds, and what only its parent held."""

from __future__ import annotations

import os
import subprocess
import sys

from ovsnet.bench.memory import own_peak_bytes, resident_bytes

BALLAST = 128 << 20


def test_process_that_is_gone_holds_nothing() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    assert resident_bytes(ended.pid) == 0
    assert resident_bytes(os.getpid()) > 1 << 20


def test_peak_is_our_own_and_stays_when_memory_is_given_back() -> None:
    ballast = b"x" * BALLAST
    code = "from ovsnet.bench.memory import own_peak_bytes; print(own_peak_bytes())"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert 1 << 20 < int(child.stdout) < BALLAST
    del ballast
    assert own_peak_bytes() > BALLAST

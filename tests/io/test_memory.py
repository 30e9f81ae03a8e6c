"""How many heaps the C library makes, as it tells itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

THREADS = """
import ctypes, threading
from ovsnet.io.memory import share_one_heap
{first}
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
meet = threading.Barrier(5)
def take():
    libc.malloc(10_000)
    meet.wait()
threads = [threading.Thread(target=take) for _ in range(4)]
for each in threads: each.start()
meet.wait()
libc.fdopen.restype = ctypes.c_void_p
out = libc.fdopen(1, b"w")
libc.malloc_info(0, ctypes.c_void_p(out))
libc.fflush(ctypes.c_void_p(out))
"""


@pytest.mark.parametrize(("first", "alone"), [("share_one_heap()", True), ("", False)])
def test_threads_take_from_one_heap(first: str, alone: bool) -> None:
    """Without it glibc makes one for each."""
    done = subprocess.run(
        [sys.executable, "-c", THREADS.format(first=first)], capture_output=True, text=True, check=True
    )
    assert (done.stdout.count("<heap nr=") == 1) is alone

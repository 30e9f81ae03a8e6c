"""``python -m tests.faults.stop_thread TID``: stop one thread by ptrace(2) until we are killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

SEIZE, INTERRUPT = 0x4206, 0x4207
"""PTRACE_SEIZE and PTRACE_INTERRUPT of linux/ptrace.h: the thread stops, and goes on when its tracer ends."""


def main(thread: int) -> None:
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    for request in (SEIZE, INTERRUPT):
        if ptrace(request, ctypes.c_long(thread), None, None) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.waitpid(thread, 0x40000000)  # __WALL: a thread that is not a child
    sys.stdout.write("stopped\n")
    sys.stdout.flush()
    signal.pause()


main(int(sys.argv[1]))

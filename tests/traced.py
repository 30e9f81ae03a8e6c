"""A thread that this very process stops by ptrace(2), as a debugger does."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000
"""__WALL of waitpid(2): a thread that is not a child of ours, too."""


@contextlib.contextmanager
def stopped(tid: int) -> Iterator[None]:
    """The thread stands still in the block; its process' other threads go on. It must be of a descendant."""
    _ptrace(PTRACE_SEIZE, tid)
    _ptrace(PTRACE_INTERRUPT, tid)
    os.waitpid(tid, WALL)
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):  # it was killed meanwhile
            _ptrace(PTRACE_DETACH, tid)


def _ptrace(request: int, tid: int) -> None:
    if ctypes.CDLL(None, use_errno=True).ptrace(request, ctypes.c_long(tid), None, None) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

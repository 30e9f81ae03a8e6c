"""What the C library's allocator keeps of memory that is free, and how to have less of it."""

from __future__ import annotations

import ctypes
import gc

M_ARENA_MAX = -8
"""malloc.h of glibc."""


def share_one_heap() -> None:
    """All threads take from one heap: for a process whose threads do one small thing now and then.

    By default each has one of its own (mallopt(3), M_ARENA_MAX), and what it frees there serves no other: 200 faults,
    after each of which a thread reads all of /proc, left the agent with 10 MiB more.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has one heap
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)


def give_back() -> None:
    """Return what is free to the system. C's allocator does so by itself only with what lies at its end
    (malloc_trim(3)). Requests and their connections are cycles, so garbage is collected first."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others do without
    if trim is not None:
        trim(0)

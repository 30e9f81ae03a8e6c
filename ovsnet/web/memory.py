"""Memory that a crowd of clients leaves behind, given back to the system."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """What is free in the middle of the heap stays ours otherwise: C's allocator returns by itself only what lies at
    its end (malloc_trim(3)). Requests and their connections are cycles, so garbage is collected first."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others do without
    if trim is not None:
        trim(0)

"""How large this process is."""

from __future__ import annotations

import gc
import resource
from pathlib import Path

_STATM = Path("/proc/self/statm")


def resident_mb() -> float:
    """Megabytes that are resident, after a collection (proc(5))."""
    gc.collect()
    return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize() / 1e6

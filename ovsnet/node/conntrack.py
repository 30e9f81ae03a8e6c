"""How full the tables of tracked connections are. A packet that would begin one more is dropped."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from ovsnet.files import read_text
from ovsnet.texts import whole_number

MOST_DIGITS = 64

NEAR = 0.95
"""Of the table, from where on it counts as full."""

KERNEL = "the kernel (nf_conntrack)"


class Table(msgspec.Struct, frozen=True):
    """``whose`` is the kernel's or a datapath's. ``setting`` raises the limit."""

    whose: str
    count: int
    limit: int
    setting: str

    @property
    def share(self) -> float:
        """Of the limit; nothing where there is none."""
        return self.count / self.limit if self.limit > 0 else 0.0


def of_kernel(pid: int, proc: Path = Path("/proc")) -> Table | None:
    """The table of the network namespace in which a process is; None when we are in another, or cannot see it.

    The kernel counts by namespace and has one limit for each (net/netfilter/nf_conntrack_core.c,
    ``__nf_conntrack_alloc``); /proc/sys shows the count of the reader's namespace.
    """
    try:
        if os.readlink(proc / "self/ns/net") != os.readlink(proc / str(pid) / "ns/net"):
            return None
        count, limit = (_number(proc / f"sys/net/netfilter/nf_conntrack_{each}") for each in ("count", "max"))
    except (OSError, ValueError):  # the module is not loaded, or the process is another user's
        return None
    return Table(KERNEL, count, limit, f"sysctl -w net.netfilter.nf_conntrack_max={2 * limit}")


def _number(path: Path) -> int:
    return int(read_text(path, MOST_DIGITS))


def of_userspace(datapath: str, count: str, limit: str) -> Table | None:
    """What ``dpctl/ct-get-nconns`` and ``dpctl/ct-get-maxconns`` say; None when it is not a number."""
    held, most = whole_number(count), whole_number(limit)
    if held is None or most is None:
        return None
    return Table(datapath, held, most, f"ovs-appctl dpctl/ct-set-maxconns {datapath} {2 * most}")

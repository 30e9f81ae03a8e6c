"""The IP addresses of the network namespace that a process is in, as /proc/PID/net shows them.

Files and not netlink: they show the namespace of the daemon, which need not be ours.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from ovsnet.files import read_head

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST = 4 << 20
"""Bytes of one file: a router's table of a million routes is not read for one address."""


def addresses_of(pid: int, proc: Path = Path("/proc")) -> frozenset[Network] | None:
    """What is delivered locally where the process is; None when that cannot be read, or is too long."""
    net = proc / str(pid) / "net"
    try:
        routes, inet6 = _read(net / "fib_trie"), _read(net / "if_inet6", absent="")
    except OSError:
        return None
    if routes is None or inet6 is None:
        return None
    return frozenset((*_ipv4(routes.splitlines()), *_ipv6(inet6.splitlines())))


def is_local(address: str, networks: Iterable[Network]) -> bool:
    """Whether the address is one of these; a loopback address always is, and what is not an address never."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_loopback or any(found in network for network in networks)


def _read(path: Path, absent: str | None = None) -> str | None:
    """``absent``: what stands for a file that is not there, as if_inet6 is not without IPv6."""
    try:
        text = read_head(path, MOST).decode("ascii", errors="replace")
    except FileNotFoundError:
        if absent is None:
            raise
        return absent
    return text if len(text) < MOST else None


def _ipv4(lines: Iterable[str]) -> Iterator[Network]:
    """A leaf is a line with the address, then one for each route to it, of all tables (net/ipv4/fib_trie.c,
    ``fib_trie_seq_show``)."""
    leaf = ""
    for line in lines:
        words = line.split()
        if words[:1] == ["|--"]:
            leaf = words[1]
        elif words[-1:] == ["LOCAL"]:
            yield ipaddress.IPv4Network(f"{leaf}{words[0]}", strict=False)


def _ipv6(lines: Iterable[str]) -> Iterator[Network]:
    """A line begins with the address in 32 digits (net/ipv6/addrconf.c, ``if6_seq_show``)."""
    return (ipaddress.IPv6Network(int(line[:32], 16)) for line in lines)

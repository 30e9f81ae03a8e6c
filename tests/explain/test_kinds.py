"""What each kind of line is declared with, against the programs that the sandboxes run; `make test-versions` runs it
with those of three generations."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from ovsnet.explain.host_kinds import HOST_KINDS
from ovsnet.explain.kind import Kind
from ovsnet.explain.kinds import ABORTED, ANYWHERE, KINDS
from ovsnet.sandbox.binaries import Binaries, find, from_root

OWN = (*KINDS, *ANYWHERE, ABORTED)
DAEMONS = ("ovs-vswitchd", "ovsdb-server", "ovn-controller", "ovn-northd")
FORMATS = {
    ("opened", "opened log"): "opened log file %s",
    ("version", " (Open vSwitch) "): " (Open vSwitch) ",
    ("version", "OVN internal version"): "OVN internal version is : [%s]",
    ("connecting", "connecting..."): "%s: connecting...",
    ("connected", ": connected"): "%s: connected",
    ("failed", ": connection "): "%s: connection failed (%s)",
    ("waiting", ": waiting "): "%s: waiting %lld seconds before reconnect",
    ("suppressed", ": continuing to "): "%s: continuing to %s in the background but suppressing further logging",
    ("closed", "closed by peer"): "%s: connection closed by peer",
    ("dropped", "connection dropped"): "%s: connection dropped",
    ("gave-up", "inactivity probe after"): "%s: no response to inactivity probe after %",
    ("listening", "added "): '%s: added %s controller "%s"',
    ("stall", "Unreasonably"): "Unreasonably long %lldms poll interval",
    ("quiesce", "to quiesce"): "blocked %u ms waiting for %s to quiesce",
    ("computed", " took "): "node: %s, recompute (%s) took %lldms",
    ("terminating", "terminating"): "terminating with signal %d (%s)",
    ("died", " died, "): "%d crashes: pid %lu died, %s",
    ("died", "fork child died"): "fork child died before signaling startup (%s)",
    ("pidfile", "pid"): "%s: already running as pid %ld",
    ("pidfile", "create failed"): "%s: create failed (%s)",
    ("exiting", "Exiting ovn"): "Exiting ovn-controller",
    ("lock", "another ovs-vswitchd"): "another ovs-vswitchd process is running",
    ("no-datapath", "failed to "): "failed to create bridge %s: %s",
    ("disk", ""): "%s: write failed (%s)",
    ("election", "starting election"): "starting election",
    ("elected", "elected leader"): "elected leader by %",
    ("led", "is leader for term"): "server %s is leader for term %",
    ("stale", "stale data"): "%s: clustered database server has stale data",
    ("cut-off", "clustered database server"): "%s: clustered database server is disconnected from",
    ("joining", "clustered database server"): "%s: clustered database server has not yet joined",
    ("relay-cut-off", "relay database server"): "%s: relay database server is disconnected from the relay source",
    ("not-leader", "not cluster leader"): "%s: clustered database server is not cluster leader",
    ("no-database", "does not have"): "%s: server does not have %s database",
    ("version-mismatch", "mismatch with northd"): "controller version - %s mismatch with northd version - %s",
    ("unconfigured", ""): "'system-id' in Open_vSwitch database is missing",
    ("moved", "Changing chassis"): "Changing chassis for lport %s from %s to %s",
    ("paused", "execution pause"): "User triggered execution pause",
    ("paused", "is now paused"): "This ovn-northd instance is now paused",
    ("resumed", "execution resume"): "User triggered execution resume",
    ("resumed", "lock acquired"): "ovn-northd lock acquired",
    ("lock-lost", "lock lost"): "ovn-northd lock lost",
    ("tls", ": "): "SSL_connect",
    ("held-back", "Dropped "): "Dropped %u log messages in last %u seconds",
    ("no-device", "could not open network device"): "could not open network device %s (%s)",
    ("not-added", "could not add network device"): "could not add network device %s to ofproto (%s)",
    ("no-bridge", "not found for network"): "Bridge '%s' not found for network '%s'",
    ("no-mapping", "bridge not found for"): "bridge not found for %s port '%s' with network name '%s'",
    ("path", "BFD state change"): "%s: BFD state change: ",
    ("tunnel-gone", "deleted interface ovn-"): "bridge %s: deleted interface %s on port %d",
    ("flow-limit", "upcall: datapath"): "upcall: datapath ",
    ("protocols", "version negotiation failed"): "%s: version negotiation failed (we support ",
    ("schema", "needs upgrade"): "%s table in %s database lacks %s column (database needs upgrade?)",
    ("conflict", "multiple rows in"): 'Transaction causes multiple rows in "%s" table',
    ("conflict", "already has encap ip"): "'%s' already has encap ip '%s'",
    ("damaged", "failed to open database"): "failed to open database '%s': %s",
    ("torn", "rror: "): "starting at offset %",
    ("not-listening", "listen failed"): "%s: listen failed: %s",
    ("client-stalled", "sending backlog exceeded"): "sending backlog exceeded maximum ",
}
"""What the source has of each line, as it lies in a program. Of strerror() and of any EMER there is none."""
WITHOUT = {("descriptors", "Too many open files"), ("aborted", "")}


@cache
def release(program: str) -> tuple[int, ...]:
    first = find().version(program)
    return tuple(map(int, re.findall(r"\d+", first.rpartition(" ")[2])))[:2]


@cache
def content() -> bytes:
    """Of the daemons, and of the libraries that some distributions link them with."""
    stored = on_disk()
    paths = [stored.path(daemon) for daemon in DAEMONS]
    paths += [path for place in stored.libraries for path in Path(place).glob("lib*o[pv][en]*.so*") if path.is_file()]
    return b"".join(path.read_bytes() for path in paths)


def on_disk() -> Binaries:
    """The programs that the sandboxes run. Those of another suite are started by scripts beside them."""
    found = find()
    daemon = found.path(DAEMONS[0])
    return from_root(daemon.parent.parent / "root") if daemon.read_bytes().startswith(b"#!") else found


def since(kind: Kind) -> tuple[str, tuple[int, ...]]:
    project, number = kind.since.split()
    return project, tuple(map(int, number.split(".")))


@pytest.mark.parametrize("kind", OWN, ids=lambda kind: f"{kind.name}-{kind.mark}")
def test_each_kind_has_its_place_and_its_release(kind: Kind) -> None:
    assert re.fullmatch(r"OVS \d+\.\d+|OVN 2\d\.\d\d", kind.since)
    assert re.search(r"\w+\.c\b|any place", kind.source)
    assert ((kind.name, kind.mark) in FORMATS) != ((kind.name, kind.mark) in WITHOUT)


def test_no_format_is_left_over() -> None:
    assert FORMATS.keys() | WITHOUT == {(kind.name, kind.mark) for kind in OWN}


def test_lines_of_others_name_their_program() -> None:
    assert all(re.match(r"the kernel, |systemd, |kubelet, ", kind.source) for kind in HOST_KINDS)


@pytest.mark.parametrize("kind", [each for each in OWN if (each.name, each.mark) not in WITHOUT],
                         ids=lambda kind: f"{kind.name}-{kind.mark}")  # fmt: skip
def test_programs_have_the_line_from_that_release_on(kind: Kind) -> None:
    project, first = since(kind)
    printed = release("ovs-vswitchd" if project == "OVS" else "ovn-controller") >= first
    assert (FORMATS[kind.name, kind.mark].encode() in content()) == printed

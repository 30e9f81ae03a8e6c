"""The kernel's table of tracked connections, in which OVN's stateful rules and load balancers keep theirs."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.doctor.running import in_the_switchs_network
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

COUNT = "/proc/sys/net/netfilter/nf_conntrack_count"
MOST = "/proc/sys/net/netfilter/nf_conntrack_max"
COUNTERS = "/proc/net/stat/nf_conntrack"

NEARLY_ALL = 0.8


@examination("conntrack.maximum")
def maximum(host: Host, live: Live) -> Iterator[Finding]:
    """The table of tracked connections has room.

    A connection more than it may hold is dropped (``nf_conntrack: table full, dropping packet``). Both numbers are
    those of the network namespace in which they are read.
    """
    count, most = ((host.read(path) or "").strip() for path in (COUNT, MOST))
    if not in_the_switchs_network(host, live):
        raise UnfitEnvironment("The table of tracked connections cannot be seen from this network namespace.")
    if not count.isdigit() or not most.isdigit():
        yield ok("The kernel tracks no connections.")
    elif int(count) > NEARLY_ALL * int(most):
        yield warning(
            f"{count} of at most {most} connections are tracked: what comes on top is dropped.",
            f"Raise it: sysctl -w net.netfilter.nf_conntrack_max={2 * int(most)}, and in /etc/sysctl.d.",
            f"{COUNT}: {count}",
            f"{MOST}: {most}",
        )
    elif dropped := _dropped(host):
        yield note(
            f"The table of tracked connections was full before: {dropped} packets were dropped.",
            f"Raise net.netfilter.nf_conntrack_max, which is {most}.",
            f"{COUNTERS}: drop {dropped}",
        )
    else:
        yield ok(f"{count} of at most {most} connections are tracked.")


def _dropped(host: Host) -> int:
    """Of all CPUs; the columns are named in the first line, the numbers are hexadecimal (nf_conntrack_standalone.c)."""
    head, *rows = [line.split() for line in (host.read(COUNTERS) or "").splitlines()] or [[]]
    return sum(int(row[head.index("drop")], 16) for row in rows) if "drop" in head else 0

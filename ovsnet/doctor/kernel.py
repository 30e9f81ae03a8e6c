"""The kernel itself: its release, and IPv6 where geneve cannot do without."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, fatal, note, ok, unseen
from ovsnet.doctor.known_defects import defects
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.node.version import parse_version

OLD_GENEVE = (3, 10)
"""Red Hat's 3.10 registers geneve's sockets for both families or not at all (the article; kube-ovn #1393)."""


@examination("kernel.release", may_be_fatal=True)
def release(host: Host, live: Live) -> Iterator[Finding]:
    """The kernel is none with a known defect."""
    version = parse_version(host.release)
    if version is None:
        yield unseen(f"The kernel calls itself {host.release!r}, which is no version.", "Compare it by hand.")
        return
    found = list(defects("kernel", version))
    yield from found or [ok(f"No defect of kernel {host.release} is known.")]


@examination("kernel.ipv6", may_be_fatal=True)
def ipv6(host: Host, live: Live) -> Iterator[Finding]:
    """Kernel 3.10 has IPv6, which its geneve needs."""
    if host.exists("/proc/net/if_inet6"):
        yield ok("The kernel has IPv6.")
    elif (parse_version(host.release) or ())[:2] == OLD_GENEVE:
        yield fatal(
            f"IPv6 is off, and geneve of kernel {host.release} needs it.",
            "Boot without ipv6.disable=1 on the kernel's command line.",
            "/proc/net/if_inet6 is absent",
        )
    else:
        yield note(
            "IPv6 is off; geneve over IPv4 does not need it on this kernel.",
            "Turn it on before you tunnel over IPv6.",
            "/proc/net/if_inet6 is absent",
        )

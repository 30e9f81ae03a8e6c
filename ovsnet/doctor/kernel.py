"""The kernel itself: its release, and IPv6 where geneve cannot do without."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, fatal, note, ok, unseen, warning
from ovsnet.doctor.known_defects import defects
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.node.version import parse_version

OLD_GENEVE = (3, 10)
"""Red Hat's 3.10 registers geneve's sockets for both families or not at all (the article; kube-ovn #1393)."""


@examination("kernel.release", may_be_fatal=True)
def release(host: Host, live: Live) -> Iterator[Finding]:
    """The kernel has no known defect."""
    version = parse_version(host.release)
    if version is None:
        yield unseen(f"The kernel calls itself {host.release!r}, which is not a version.", "Compare it by hand.")
        return
    found = list(defects("kernel", version))
    yield from found or [ok(f"No defect of kernel {host.release} is known.")]


@examination("kernel.installed")
def installed(host: Host, live: Live) -> Iterator[Finding]:
    """The running kernel is installed, and is the newest one installed.

    An upgrade that removes the modules of the kernel that runs leaves it with those that it has loaded.
    """
    places = ("/lib/modules", "/usr/lib/modules")
    trees = {name for place in places for name in host.names(place) if host.exists(f"{place}/{name}/modules.dep")}
    running = parse_version(host.release)
    newer = sorted((each, name) for name in trees if running and (each := parse_version(name)) and each > running)
    alike = [name for _, name in newer if _flavour(name) == _flavour(host.release)]
    if trees and host.release not in trees:
        yield warning(
            f"The modules of the kernel that runs, {host.release}, were removed: none more can be loaded.",
            "Reboot into an installed kernel.",
            *(f"/lib/modules/{name}" for name in sorted(trees)),
        )
    elif alike:
        yield note(
            f"Kernel {host.release} runs, and {alike[-1]} is installed.",
            "Reboot when it suits; what is found here is of the old one.",
        )
    else:
        yield ok("No newer kernel waits for a reboot, as far as can be seen.")


def _flavour(release: str) -> str:
    """``generic`` of 5.15.0-91-generic, ``el8.x86_64`` of 4.18.0-553.el8.x86_64: one of another is an alternative."""
    return re.sub(r"^[\d.~+-]*|[\d_.]*(?=\.(?:x86_64|aarch64))", "", release)


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

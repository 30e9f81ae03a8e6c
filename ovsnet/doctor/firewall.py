"""Whether the host's own firewall may drop what comes through tunnels.

A node that drops UDP 6081 or 4789 looks well by itself: its tunnels are there, and nothing comes out of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok
from ovsnet.doctor.running import in_the_switchs_network
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

PORTS = {"geneve": 6081, "vxlan": 4789}

SAVED = ("/etc/sysconfig/iptables", "/etc/iptables/rules.v4")
"""What iptables loads at a boot."""

LEGACY = "/proc/net/ip_tables_names"
"""Names the tables of iptables-legacy that are in use; what is in them cannot be read without changing modules."""

_REFUSES = re.compile(r"^:INPUT DROP|^-A INPUT(?: -m comment --comment \S+)? -j (?:DROP|REJECT)\b", re.MULTILINE)


@examination("firewall.tunnels")
def tunnels(host: Host, live: Live) -> Iterator[Finding]:
    """The host's firewall lets tunnels in, as far as can be seen.

    Rules are not followed: one that accepts by interface or by address is not recognised, hence "may".
    """
    kinds = live.need_database().external_ids.get("ovn-encap-type", "").split(",")
    wanted = {kind.strip(): PORTS[kind.strip()] for kind in kinds if kind.strip() in PORTS}
    if not wanted:
        yield ok("No tunnel of OVN over UDP is configured.")
        return
    if not in_the_switchs_network(host, live):
        raise UnfitEnvironment("The firewall of the switch's network namespace cannot be seen from this one.")
    legacy = "filter" in (host.read(LEGACY) or "").split()
    chains = live.firewall or ()
    found = [_of_chain(chain.name, chain.how, set(wanted.values()) - chain.named) for chain in chains]
    if not chains and legacy:
        found += [_of_file(host, path, set(wanted.values())) for path in SAVED]
    told = [each for each in found if each is not None]
    if not told and live.firewall is None:
        raise UnfitEnvironment("This user may not read the rules of the kernel's firewall.")
    yield from told or [ok("No rule is seen that would drop tunnels.")]


def _of_chain(name: str, how: str, unnamed: set[int]) -> Finding | None:
    evidence = f"nftables: {name} has {how}, and no rule of its table names the port"
    return _may_drop(unnamed, evidence) if unnamed else None


def _of_file(host: Host, path: str, ports: set[int]) -> Finding | None:
    text = host.read(path) or ""
    refuses = _REFUSES.search(text)
    unnamed = {port for port in ports if not re.search(rf"\b{port}\b", text)}
    return _may_drop(unnamed, f"{path}: {refuses[0]}, and no line names the port") if refuses and unnamed else None


def _may_drop(ports: set[int], evidence: str) -> Finding:
    listed = " and ".join(map(str, sorted(ports)))
    return note(
        f"The host's firewall may drop UDP {listed}, by which tunnels of other nodes come in.",
        f"See whether it does: `tcpdump -ni any udp port {min(ports)}` shows packets that no tunnel delivers. Let the "
        "port in from the other nodes.",
        evidence,
    )

"""Whether the host's own firewall may drop what comes through tunnels.

A node that drops UDP 6081 or 4789 looks well by itself: its tunnels are there, and nothing comes out of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok
from ovsnet.doctor.running import chassis, in_the_switchs_network
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.chassis import in_force, split_list
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

ENCAP_TYPE, ENCAP_IP = "ovn-encap-type", "ovn-encap-ip"

PORTS = {"geneve": 6081, "vxlan": 4789}


class Iptables(msgspec.Struct, frozen=True):
    """One of the two programs of iptables-legacy. ``tables`` is the file that names its tables that are in use: what is
    in them cannot be read without changing modules. ``saved`` is what it loads at a boot."""

    name: str
    tables: str
    saved: tuple[str, ...]


BY_VERSION = {
    4: Iptables("iptables", "/proc/net/ip_tables_names", ("/etc/sysconfig/iptables", "/etc/iptables/rules.v4")),
    6: Iptables("ip6tables", "/proc/net/ip6_tables_names", ("/etc/sysconfig/ip6tables", "/etc/iptables/rules.v6")),
}
"""Of the addresses of tunnels."""

_REFUSES = re.compile(r"^:INPUT DROP|^-A INPUT(?: -m comment --comment \S+)? -j (?:DROP|REJECT)\b", re.MULTILINE)


@examination("firewall.tunnels")
def tunnels(host: Host, live: Live) -> Iterator[Finding]:
    """The host's firewall lets tunnels in, as far as can be seen.

    Rules are not followed: one that accepts by interface or by address is not recognised, hence "may".
    """
    ids, name = live.need_database().external_ids, chassis(host, live)
    kinds, addresses = (
        split_list((in_force(ids, key, name) or ("", ""))[1]) for key in ("ovn-encap-type", "ovn-encap-ip")
    )
    wanted = {PORTS[kind] for kind in kinds if kind in PORTS}
    if not wanted:
        yield ok("No tunnel of OVN over UDP is configured.")
        return
    if not in_the_switchs_network(host, live):
        raise UnfitEnvironment("The firewall of the switch's network namespace cannot be seen from this one.")
    used = [BY_VERSION[each] for each in sorted({6 if ":" in address else 4 for address in addresses or ("",)})]
    used = [each for each in used if "filter" in (host.read(each.tables) or "").split()]
    texts = {each.name: {path: text for path in each.saved if (text := host.read(path))} for each in used}
    found = [_of_chain(chain.name, chain.how, wanted - chain.named) for chain in live.firewall or ()]
    found += [_of_file(path, text, wanted) for saved in texts.values() for path, text in saved.items()]
    told = [each for each in found if each is not None]
    if not told and live.firewall is None:
        raise UnfitEnvironment("This user may not read the rules of the kernel's firewall.")
    if not told and (hidden := [name for name, saved in texts.items() if not saved]):
        raise UnfitEnvironment(
            f"The rules of {hidden[0]} (legacy) are in force, and no file shows them.",
            remedy=f"See them: {hidden[0]}-legacy -S INPUT.",
        )
    yield from told or [ok("No rule is seen that would drop tunnels.")]


def _of_chain(name: str, how: str, unnamed: set[int]) -> Finding | None:
    evidence = f"nftables: {name} has {how}"
    return _may_drop(unnamed, evidence) if unnamed else None


def _of_file(path: str, text: str, ports: set[int]) -> Finding | None:
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

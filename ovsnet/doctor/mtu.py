"""Whether what is sent through a tunnel fits into the packets of the network below it.

A tunnel's headers come on top of each packet. What does not fit is broken up or dropped on the way: small packets pass,
and every transfer hangs (ovn-kubernetes #2500, kube-ovn #4254).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
from ovsnet.doctor.running import chassis, daemons, in_the_switchs_network
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.chassis import in_force, split_list
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

OVERHEAD = {"geneve": 58, "vxlan": 50}
"""Bytes over IPv4: the inner Ethernet header, the tunnel's (geneve's with the option that OVN sets), UDP's, IP's."""

ENCAP_TYPE = "ovn-encap-type"

MORE_OVER_IPV6 = 20

LOOPBACK = "lo"
"""Holds an address that is routed, and no packet of a tunnel leaves by it."""

INNER = ("ovn0", "ovn-k8s-mp0")
"""The node's own interface in the overlay: Kube-OVN's, OVN-Kubernetes'. Pods have its MTU."""

CNI_DIRECTORY = "/etc/cni/net.d"


@examination("encap.mtu")
def encapsulation(host: Host, live: Live) -> Iterator[Finding]:
    """What the overlay sends fits into the packets of the network below it."""
    ids = live.need_database().external_ids
    name = chassis(host, live)
    addresses, kinds = (split_list((in_force(ids, key, name) or ("", ""))[1]) for key in ("ovn-encap-ip", ENCAP_TYPE))
    pid = daemons(host, live).get("ovs-vswitchd")
    inner = {**_devices(host), **_configured(host)}
    process = pid or "self"
    if not addresses or not inner:
        yield ok("No interface of the overlay is known here.")
        return
    if not in_the_switchs_network(host, live):
        raise UnfitEnvironment("The interfaces of the switch's network namespace cannot be seen from this one.")
    short, unknown = [], []
    for address in addresses:
        device = _device_of(host, process, address)
        room = _mtu(host, device) if device not in ("", LOOPBACK) else None
        if room is None:
            unknown.append(address)
            continue
        more = max((OVERHEAD.get(kind, 0) for kind in kinds), default=0)
        more += MORE_OVER_IPV6 if ":" in address else 0
        short += [
            f"{name} has MTU {size}, {more} bytes come on top, and {device} takes {room}"
            for name, size in inner.items()
            if size + more > room
        ]
    if short:
        yield warning(
            "Packets of the overlay do not fit into those of the network below: large ones are broken up or lost.",
            "Lower the overlay's MTU in the CNI's configuration, or raise the network's on every node and switch.",
            *short,
        )
    elif unknown:
        raise UnfitEnvironment(f"By which interface packets from {', '.join(unknown)} leave is not seen.")
    else:
        yield ok("Packets of the overlay fit.", *(f"{name}: MTU {size}" for name, size in inner.items()))


def _devices(host: Host) -> dict[str, int]:
    return {name: size for name in INNER if (size := _mtu(host, name)) is not None}


def _configured(host: Host) -> dict[str, int]:
    """As the CNI's configuration says that pods get it."""
    found = {}
    for name in host.names(CNI_DIRECTORY):
        if "ovn" in name and (
            said := re.search(r'"mtu"\s*:\s*(\d{1,9})\b', host.read(f"{CNI_DIRECTORY}/{name}") or "")
        ):
            found[f"{CNI_DIRECTORY}/{name}"] = int(said[1])
    return found


def _mtu(host: Host, device: str) -> int | None:
    text = (host.read(f"/sys/class/net/{device}/mtu") or "").strip()
    return int(text) if text.isdigit() else None


def _device_of(host: Host, process: int | str, address: str) -> str:
    """The interface with that address, as its network's route says; empty when none is seen."""
    try:
        wanted = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if wanted.version == 6:
        lines = (line.split() for line in (host.read(f"/proc/{process}/net/if_inet6") or "").splitlines())
        return next((each[5] for each in lines if len(each) == 6 and int(each[0], 16) == int(wanted)), "")
    found = []
    for line in (host.read(f"/proc/{process}/net/route") or "").splitlines()[1:]:
        device, network, gateway, *_ = fields = line.split()
        mask = _address(fields[7])
        if mask and not int(gateway, 16) and int(wanted) & mask == _address(network):
            found.append((mask, device))
    return max(found, default=(0, ""))[1]


def _address(text: str) -> int:
    """The kernel writes the bytes as they lie in memory (net/ipv4/fib_trie.c, ``fib_route_seq_show``)."""
    return int.from_bytes(bytes.fromhex(text), "little")

"""What a value must look like for its daemon to read it. Each form answers with what is wrong, or nothing. Pure."""

from __future__ import annotations

import ipaddress
import re

from ovsnet.texts import LONGEST_NUMBER
from ovsnet.tune.keys.key import Form

_NUMBER = re.compile(r"[ \t]*[+-]?[0-9]+")
_REMOTE = re.compile(r"(?:(?:tcp|ssl):(?:\[[^\]]+\]|[^:\[\]]+)(?::(\d{1,20}))?|unix:.+)")
_BRIDGE_REMOTE = re.compile(r"(?:unix|tcp|ssl):.+")
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
TUNNELS = ("geneve", "vxlan")
OLD_TUNNELS = (*TUNNELS, "stt")


def flag(text: str) -> str:
    """True or false (lib/smap.c, ``smap_get_bool``, which takes any other text for the default)."""
    return "" if text.lower() in ("true", "false") else "is neither true nor false"


def whole(low: int, high: int) -> Form:
    """A decimal number in a range."""

    def form(text: str) -> str:
        if not _NUMBER.fullmatch(text):
            return "is not a whole number"
        return "" if len(text) <= LONGEST_NUMBER and low <= int(text) <= high else f"is not from {low} to {high}"

    return form


def one_of(*words: str) -> Form:
    """One of some words."""
    return lambda text: "" if text in words else f"is none of {', '.join(words)}"


def mask(text: str) -> str:
    """A CPU mask in hexadecimal digits (OVS lib/ovs-numa.c, ``ovs_numa_dump_cores_with_cmask``)."""
    digits = text[2:] if text[:2] in ("0x", "0X") else text
    if not re.fullmatch("[0-9a-fA-F]+", digits):
        return "is not a mask in hexadecimal digits"
    return "" if int(digits, 16) else "chooses no CPU"


def remotes(text: str) -> str:
    """What an OVSDB client connects to (lib/stream.c, ``stream_verify_name``): ``tcp:IP:PORT`` and its like."""
    if text.strip().startswith("unix:") and "," not in text:
        return ""
    for each in text.split(","):
        found = _REMOTE.fullmatch(each.strip())
        if found is None:
            return f"names no way to connect in {each.strip()!r}: tcp:IP:PORT, ssl:IP:PORT or unix:PATH"
        if found[1] and not 0 < int(found[1]) < 65536:
            return f"has a port that does not exist: {found[1]}"
    return ""


def bridge_remote(text: str) -> str:
    """Where the integration bridge listens."""
    return "" if _BRIDGE_REMOTE.fullmatch(text) else "names no way to connect: unix:PATH or tcp:IP:PORT"


def tunnels(text: str) -> str:
    """Types of tunnels (OVN lib/ovn-util.c, ``get_tunnel_type``; stt until OVN 25.03)."""
    unknown = [each for each in text.split(",") if each.strip() not in OLD_TUNNELS]
    return f"has no such tunnel as {', '.join(unknown)}: they are {', '.join(TUNNELS)}" if unknown else ""


def addresses(text: str) -> str:
    """IP addresses with commas between."""
    for each in text.split(","):
        try:
            ipaddress.ip_address(each.strip())
        except ValueError:
            return f"has no IP address in {each!r}"
    return ""


def mappings(text: str) -> str:
    """``network:bridge`` with commas between (OVN controller/patch.c, ``add_ovs_bridge_mappings``)."""
    each = text.removesuffix(",").split(",") if text else []
    if wrong := [pair for pair in each if not re.fullmatch("[^:]+:[^:]+", pair)]:
        return f"has no bridge for {', '.join(map(repr, wrong))}: NETWORK:BRIDGE"
    blank = next((pair for pair in each if re.search(r"\s", pair)), None)
    return f"has a blank in {blank!r}, which becomes part of the name" if blank is not None else ""


def macs(text: str) -> str:
    """``network:MAC`` with commas between (OVN controller/chassis.c, ``chassis_get_mac``)."""
    for each in text.split(","):
        if not _MAC.fullmatch(each.partition(":")[2]):
            return f"has no MAC address in {each!r}: NETWORK:aa:bb:cc:dd:ee:ff"
    return ""


def ranged(text: str) -> str:
    """``low-high`` of conntrack zones (OVN controller/ct-zone.c, ``ct_zones_parse_range``)."""
    found = re.fullmatch(r"(\d{1,20})-(\d{1,20})", text)
    if found is None:
        return "is not a range such as 100-65535"
    low, high = int(found[1]), int(found[2])
    return "" if 1 <= low < high <= 65535 else "is not a range from 1 to 65535"


def sizes(text: str) -> str:
    """Megabytes by NUMA node, with commas between (OVS lib/dpdk.c)."""
    return (
        "" if re.fullmatch(r"\d*(?:,\d*)*", text) and text.strip(",0") else "is not a list of megabytes such as 1024,0"
    )


def tos(text: str) -> str:
    """A type of service: ``none``, ``inherit`` or a number (OVS lib/netdev-vport.c, set_tunnel_config())."""
    if text in ("none", "inherit"):
        return ""
    return whole(0, 255)(str(int(text, 16)) if re.fullmatch("0[xX][0-9a-fA-F]{1,8}", text) else text)

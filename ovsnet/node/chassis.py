"""What configures ovn-controller, read as it reads it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

SYSTEM_ID_OVERRIDE = Path("/etc/ovn/system-id-override")
"""Its first line takes precedence over external_ids:system-id (controller/ovn-controller.c, ``get_file_system_id``)."""


def in_force(ids: Mapping[str, str], key: str, chassis: str) -> tuple[str, str] | None:
    """The name under which ``key`` is set for ``chassis`` in ``external_ids``, and the value; None when it is set to
    nothing.

    A name that ends in that of a chassis hides the plain one from it, and is nothing to others: several chassis may
    share a database (lib/ovn-util.c, ``get_chassis_external_id_value``, since OVN 23.03).
    """
    own = f"{key}-{chassis}"
    name = own if chassis and own in ids else key
    value = ids.get(name, "").strip()
    return (name, value) if value else None


def chassis_name(ids: Mapping[str, str], words: Sequence[str] = (), override: str = "") -> str:
    """The name of the chassis: that on ovn-controller's command line, else that of the file, else system-id
    (controller/chassis.c, ``get_ovs_chassis_id``). Empty when it has none."""
    for number, word in enumerate(words):
        option, given, value = word.partition("=")
        if option == "--chassis-name" and given:
            return value
        if word in ("-n", "--chassis-name"):
            return words[number + 1] if number + 1 < len(words) else ""
    first = override.partition("\n")[0].strip()
    return first or ids.get("system-id", "").strip()


def bridge_of(ids: Mapping[str, str], chassis: str) -> str:
    """The bridge that ovn-controller uses (controller/ovn-controller.c, ``br_int_name``)."""
    own = ids.get(f"ovn-bridge-{chassis}") if chassis else None
    return own or ids.get("ovn-bridge") or "br-int"


NEEDED = ("system-id", "ovn-encap-type", "ovn-encap-ip")
"""Without any of them ovn-controller registers no chassis (controller/chassis.c, ``chassis_parse_ovs_config``)."""


def lacking(ids: Mapping[str, str], chassis: str | None = None) -> list[str]:
    """Which of ``NEEDED`` are not set in ``external_ids``, or to nothing. A tunnel's may carry the chassis' name: any
    name, while the chassis' own is not known."""
    return [key for key in NEEDED if not any(value.strip() for value in _candidates(ids, key, chassis))]


def _candidates(ids: Mapping[str, str], key: str, chassis: str | None) -> Iterator[str]:
    if chassis is not None:
        found = in_force(ids, key, chassis)
        yield from () if found is None else (found[1],)
    else:
        yield from (value for name, value in ids.items() if name == key or name.startswith(f"{key}-"))


def split_list(value: str) -> list[str]:
    """The elements of a list with commas, such as several addresses in ``ovn-encap-ip`` (controller/chassis.c,
    ``chassis_parse_ovs_encap_ip``)."""
    return [each.strip() for each in value.split(",") if each.strip()]


class WrongMapping(msgspec.Struct, frozen=True):
    """What is wrong with a value of ``ovn-bridge-mappings``. ``bridge``: it is the one that is not there."""

    sentence: str
    bridge: str = ""


def wrong_mapping(mappings: str, bridges: Collection[str]) -> WrongMapping | None:
    """The first thing that keeps ovn-controller from a network of ``mappings`` (controller/patch.c,
    ``add_ovs_bridge_mappings``).

    An element that it cannot parse ends its reading, an empty one does so without a word. It strips no blanks, so that
    a network may have a name that no logical switch has.
    """
    *elements, last = mappings.split(",")
    for element in [*elements, last] if last else elements:
        network, _, bridge = element.partition(":")
        if not network or not bridge:
            return WrongMapping(f"at {element!r} it is not NETWORK:BRIDGE, and ovn-controller reads no further")
        if element != element.strip() or network != network.strip():
            return WrongMapping(f"there is a blank in {element!r}, which ovn-controller takes for a part of the name")
        if bridge not in bridges:
            return WrongMapping(f"it maps {network} to {bridge}, and there is no such bridge", bridge)
    return None

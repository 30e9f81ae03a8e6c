"""Nicira's actions of connection tracking, ct and nat (OVS lib/ofp-actions.c, ``format_CT`` and ``format_NAT``)."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.protocol.openflow.action import Action, Argument, Decoder, Nested, actions_text, u8, u16, u32
from ovsnet.protocol.openflow.field_text import ipv4_text, ipv6_text
from ovsnet.protocol.openflow.message import OpenFlowProtocolError
from ovsnet.protocol.openflow.oxm import packed_subfield

_COMMIT, _FORCE = 1, 2
_NO_TABLE = 0xFF
_HELPERS = {21: "ftp", 69: "tftp"}

_SOURCE, _TARGET = 1, 2
_NAT_FLAGS = {4: "persistent", 8: "hash", 16: "random"}
_IPV4_MIN, _IPV4_MAX, _IPV6_MIN, _IPV6_MAX, _PORT_MIN, _PORT_MAX = 1, 2, 4, 8, 16, 32


def _ct(body: bytes, nested: Nested) -> Action:
    arguments: dict[str, Argument] = {}
    flags, table = u16(body, 10), u8(body, 18)
    if flags & _COMMIT:
        arguments["commit"] = True
    if flags & _FORCE:
        arguments["force"] = True
    if table != _NO_TABLE:
        arguments["table"] = table
    if u32(body, 12):
        arguments["zone"] = str(packed_subfield(body, 12, u16(body, 16)))
    elif zone := u16(body, 16):
        arguments["zone"] = zone
    parts = [name if value is True else f"{name}={value}" for name, value in arguments.items()]
    actions = nested(body[24:])
    if actions:
        arguments["actions"] = actions
        parts += _inner(actions)
    if helper := u16(body, 22):
        arguments["alg"] = _HELPERS.get(helper, helper)
        parts.append(f"alg={arguments['alg']}")
    return Action("ct", arguments, f"ct({','.join(parts)})")


def _inner(actions: tuple[Action, ...]) -> list[str]:
    """The first one, if it is nat, is written outside of ``exec``."""
    nat = actions[:1] if actions[0].name == "nat" else ()
    rest = actions[len(nat) :]
    return [*(action.text for action in nat), *([f"exec({actions_text(rest)})"] if rest else [])]


def _nat(body: bytes, nested: Nested) -> Action:
    flags, present = u16(body, 12), u16(body, 14)
    addresses, start = _addresses(body, present)
    ports, _ = _ports(body, present, start)
    if not flags & (_SOURCE | _TARGET):
        return Action("nat", {}, "nat")
    kind = "src" if flags & _SOURCE else "dst"
    arguments: dict[str, Argument] = {"kind": kind}
    parts = [kind]
    if addresses:
        bracket = bool(ports) and bool(present & _IPV6_MIN)
        shown = "-".join(f"[{each}]" if bracket else each for each in addresses)
        arguments["addresses"] = "-".join(addresses)
        if ports:
            arguments["ports"] = ports
        parts = [f"{kind}={shown}" + (f":{ports}" if ports else "")]
        names = [name for bit, name in _NAT_FLAGS.items() if flags & bit]
        arguments.update(dict.fromkeys(names, True))
        parts += names
    return Action("nat", arguments, f"nat({','.join(parts)})")


def _addresses(body: bytes, present: int) -> tuple[list[str], int]:
    """The least address and the greatest, where that is another; and where they end."""
    size = 4 if present & _IPV4_MIN else 16
    found: list[int] = []
    start = 16
    for bit in (_IPV4_MIN, _IPV4_MAX) if size == 4 else (_IPV6_MIN, _IPV6_MAX):
        if present & bit:
            if start + size > len(body):
                raise OpenFlowProtocolError("a nat action ends inside an address")
            found.append(int.from_bytes(body[start : start + size]))
            start += size
    shown = ipv4_text if size == 4 else ipv6_text
    return [shown(each) for each in dict.fromkeys(found) if each or each == found[0]], start


def _ports(body: bytes, present: int, start: int) -> tuple[str, int]:
    if not present & _PORT_MIN:
        return "", start
    least = u16(body, start)
    if not present & _PORT_MAX:
        return str(least), start + 2
    most = u16(body, start + 2)
    return (f"{least}-{most}" if most not in (0, least) else str(least)), start + 4


TRACKING_ACTIONS: Mapping[int, Decoder] = {35: _ct, 36: _nat}

"""Nicira's actions that choose: by a hash of the packet, or by chance (OVS lib/bundle.c, lib/multipath.c,
lib/ofp-actions.c ``format_SAMPLE``)."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.protocol.openflow.action import Action, Argument, Decoder, Nested, u8, u16, u32
from ovsnet.protocol.openflow.field_text import port_text
from ovsnet.protocol.openflow.oxm import packed_subfield

_HASHED = {
    0: "eth_src",
    1: "symmetric_l4",
    2: "symmetric_l3l4",
    3: "symmetric_l3l4+udp",
    4: "nw_src",
    5: "nw_dst",
    6: "symmetric_l3",
}
_LINKS = {0: "modulo_n", 1: "hash_threshold", 2: "hrw", 3: "iter_hash"}
_MEMBERS = {0: "active_backup", 1: "hrw"}
_UNKNOWN = "<unknown>"
_NO_PORT = 0xFFFF
_DIRECTIONS = {1: "ingress", 2: "egress"}


def _multipath(body: bytes, nested: Nested) -> Action:
    arguments: dict[str, Argument] = {
        "fields": _HASHED.get(u16(body, 10), _UNKNOWN),
        "basis": u16(body, 12),
        "algorithm": _LINKS.get(u16(body, 16), _UNKNOWN),
        "n_links": u16(body, 18) + 1,
        "argument": u32(body, 20),
        "target": str(packed_subfield(body, 28, u16(body, 26))),
    }
    return Action("multipath", arguments, f"multipath({','.join(map(str, arguments.values()))})")


def _bundle(body: bytes, nested: Nested) -> Action:
    return _members(body, "bundle")


def _bundle_load(body: bytes, nested: Nested) -> Action:
    return _members(body, "bundle_load", str(packed_subfield(body, 24, u16(body, 22))))


def _members(body: bytes, name: str, target: str = "") -> Action:
    members = tuple(u16(body, 32 + 2 * each) for each in range(u16(body, 20)))
    arguments: dict[str, Argument] = {
        "fields": _HASHED.get(u16(body, 12), _UNKNOWN),
        "basis": u16(body, 14),
        "algorithm": _MEMBERS.get(u16(body, 10), _UNKNOWN),
        "members": members,
    }
    if target:
        arguments["target"] = target
    opening = f"{arguments['fields']},{arguments['basis']},{arguments['algorithm']},ofport"
    shown = ",".join(map(port_text, members))
    return Action(name, arguments, f"{name}({opening},{target + ',' if target else ''}members:{shown})")


def _sample(body: bytes, nested: Nested) -> Action:
    return _sampled(body, str(u32(body, 16)), str(u32(body, 20)), _NO_PORT, 0)


def _sample2(body: bytes, nested: Nested) -> Action:
    return _sampled(body, str(u32(body, 16)), str(u32(body, 20)), u16(body, 24), 0)


def _sample3(body: bytes, nested: Nested) -> Action:
    return _sampled(body, str(u32(body, 16)), str(u32(body, 20)), u16(body, 24), u8(body, 26))


def _sample4(body: bytes, nested: Nested) -> Action:
    return _sampled(body, _observed(body, 16), _observed(body, 24), u16(body, 32), u8(body, 34))


def _observed(body: bytes, at: int) -> str:
    """A number, or the field that it is read from."""
    if u32(body, at):
        return str(packed_subfield(body, at, u16(body, at + 4)))
    return str(u32(body, at + 4))


def _sampled(body: bytes, domain: str, point: str, port: int, direction: int) -> Action:
    arguments: dict[str, Argument] = {
        "probability": u16(body, 10),
        "collector_set_id": u32(body, 12),
        "obs_domain_id": domain,
        "obs_point_id": point,
    }
    if port != _NO_PORT:
        arguments["sampling_port"] = port_text(port)
    text = ",".join(f"{name}={value}" for name, value in arguments.items())
    if direction in _DIRECTIONS:
        arguments["direction"] = _DIRECTIONS[direction]
        text += f",{_DIRECTIONS[direction]}"
    return Action("sample", arguments, f"sample({text})")


CHOICE_ACTIONS: Mapping[int, Decoder] = {
    10: _multipath,
    12: _bundle,
    13: _bundle_load,
    29: _sample,
    38: _sample2,
    41: _sample3,
    51: _sample4,
}

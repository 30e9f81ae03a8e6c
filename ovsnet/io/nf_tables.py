"""Which chains of nftables drop what comes in and is not named, and which ports their tables name or drop.

The kernel answers by netlink (linux/netfilter/nf_tables.h), so the rules are those in force, whichever program made
them: nft, firewalld, ufw, iptables-nft. Nothing is changed. A rule is not followed to its end: what is said here is
"may".
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping

import msgspec

from ovsnet.io.unix_diag import (
    ATTRIBUTE,
    HEADER,
    NLM_F_DUMP,
    NLM_F_REQUEST,
    NLMSG_DONE,
    NLMSG_ERROR,
    TIMEOUT,
    messages,
)

NETLINK_NETFILTER = 12
SUBSYSTEM = 10 << 8
"""NFNL_SUBSYS_NFTABLES, in the upper byte of a message's type."""

MOST_BYTES = 4 << 20
"""Of one answer: 20,000 rules."""

GETCHAIN, GETRULE, GETSETELEM = 4, 7, 13

FAMILIES = {1: "inet", 2: "ip", 10: "ip6"}
"""By NFPROTO number, those through which tunnels' packets come."""

LOCAL_IN = 1
"""NF_INET_LOCAL_IN."""

DROP = 0
"""NF_DROP, of a policy and of a verdict."""

GENERIC = struct.Struct("=BBH")
"""``struct nfgenmsg``: family, version, and a resource."""

NESTED = 0x8000
"""NLA_F_NESTED, a flag in an attribute's type."""

ERROR = struct.Struct("=i")
"""``struct nlmsgerr``: a negative errno, and more."""

ABSENT = frozenset({errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOENT})
"""Of a kernel that has no nf_tables, and so no chain of it."""

NUMBER = struct.Struct(">I")

PASSES_ON = frozenset({b"counter", b"log", b"limit"})
"""Expressions beside a verdict that make no condition."""

Attributes = Mapping[int, bytes]


class InputChain(msgspec.Struct, frozen=True):
    """A chain that drops what comes in and that nothing before has accepted. ``named`` are those of the ports asked for
    that some rule or set of its table names."""

    name: str
    how: str
    named: frozenset[int] = msgspec.field(default=frozenset())


def input_chains(ports: Collection[int]) -> tuple[InputChain, ...] | None:
    """Those of our network namespace; None where the kernel does not show them to us."""
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as kernel:
            kernel.settimeout(TIMEOUT)
            chains = [each for each in _dump(kernel, GETCHAIN) if _takes_input(*each)]
            tables = dict.fromkeys((family, attributes(body).get(1, b"")) for family, body in chains)
            rules = [rule for family, table in tables for rule in _dump(kernel, GETRULE, family, {1: table})]
            sets = dict.fromkeys(each for rule in rules for each in _looked_up(rule))
            elements = [
                ((family, table), body)
                for family, table, name in sets
                for _, body in _dump(kernel, GETSETELEM, family, {1: table, 2: name})
            ]
    except OSError as error:
        return () if error.errno in ABSENT else None
    except struct.error:
        return None
    return judge(chains, rules, elements, ports)


def judge(
    chains: list[tuple[int, bytes]],
    rules: list[tuple[int, bytes]],
    elements: list[tuple[tuple[int, bytes], bytes]],
    ports: Collection[int],
) -> tuple[InputChain, ...]:
    """What follows from the messages, each with its family; elements come with family and table. Pure."""
    found = []
    for family, body in chains:
        chain = attributes(body)
        table, name = chain.get(1, b""), chain.get(3, b"")
        own = [rule for other, rule in rules if other == family and attributes(rule).get(1) == table]
        how = "policy drop" if _number(chain.get(5, b"")) == DROP else ""
        if any(attributes(rule).get(2) == name and _refuses(rule) for rule in own):
            how = how or "a rule that refuses all the rest"
        words = (FAMILIES[family], *(part.rstrip(b"\0").decode(errors="replace") for part in (table, name)))
        if how:
            keys = [element for place, element in elements if place == (family, table)]
            named = {port for port in ports if any(_names(rule, port) for rule in own) or _in_a_set(keys, port)}
            told = f"{how}, and no rule of its table names the port"
            found.append(InputChain(" ".join(words), told, frozenset(named)))
        dropped = {port for port in ports if _first_drops(own, name, port)}
        if dropped:
            left = frozenset(ports) - dropped
            found.append(InputChain(" ".join(words), "a rule that drops what comes to the port", left))
    return tuple(found)


def _takes_input(family: int, body: bytes) -> bool:
    hook = attributes(attributes(body).get(4, b""))
    return family in FAMILIES and _number(hook.get(1, b"")) == LOCAL_IN


def _dump(
    kernel: socket.socket, what: int, family: int = 0, wanted: Attributes | None = None
) -> Iterator[tuple[int, bytes]]:
    """Family and attributes of each object. Raises OSError where the kernel refuses."""
    packed = b"".join(_pack(kind, value) for kind, value in (wanted or {}).items())
    body = GENERIC.pack(family, 0, 0) + packed
    flags = NLM_F_REQUEST | NLM_F_DUMP
    kernel.send(HEADER.pack(HEADER.size + len(body), SUBSYSTEM | what, flags, 1, 0) + body)
    taken = 0
    while True:
        datagram = kernel.recv(1 << 18)
        if (taken := taken + len(datagram)) > MOST_BYTES:
            raise OSError("there are more rules than are worth to be read")
        for kind, found in messages(datagram):
            if kind == NLMSG_ERROR:
                code = -ERROR.unpack_from(found)[0]
                raise OSError(code, os.strerror(code))
            if kind == NLMSG_DONE:
                return
            yield found[0], found[GENERIC.size :]


def attributes(body: bytes) -> dict[int, bytes]:
    """By type; of several of one type, the last. Raises struct.error where one is cut off."""
    return dict(_each(body))


def _each(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        length, kind = ATTRIBUTE.unpack_from(body)
        if not ATTRIBUTE.size <= length <= len(body):
            raise struct.error("a netlink attribute is cut off")
        yield kind & ~NESTED, body[ATTRIBUTE.size : length]
        body = body[(length + 3) & ~3 :]


def _pack(kind: int, value: bytes) -> bytes:
    length = ATTRIBUTE.size + len(value)
    return ATTRIBUTE.pack(length, kind) + value + bytes(-length % 4)


def _expressions(rule: bytes) -> list[tuple[bytes, bytes]]:
    """Name and data of each."""
    nested = (attributes(element) for _, element in _each(attributes(rule).get(4, b"")))
    return [(each.get(1, b"").rstrip(b"\0"), each.get(2, b"")) for each in nested]


def _refuses(rule: bytes) -> bool:
    """Whether a rule has a verdict that ends the packet, and no condition."""
    rest = [(name, data) for name, data in _expressions(rule) if name not in PASSES_ON]
    return len(rest) == 1 and _is_refusal(*rest[0])


def _is_refusal(name: bytes, data: bytes) -> bool:
    if name == b"immediate":
        verdict = attributes(attributes(attributes(data).get(2, b"")).get(2, b""))
        return _number(verdict.get(1, b"")) == DROP
    # iptables-nft may use the targets of iptables.
    target = attributes(data).get(1, b"").rstrip(b"\0") if name == b"target" else b""
    return name == b"reject" or target in (b"REJECT", b"DROP")


def _looked_up(rule: tuple[int, bytes]) -> Iterator[tuple[int, bytes, bytes]]:
    """Family, table and name of the sets that a rule looks into."""
    family, body = rule
    for name, data in _expressions(body):
        if name == b"lookup" and (found := attributes(data).get(1)):
            yield family, attributes(body).get(1, b""), found


MOST_CONDITIONS = 2
"""Of a rule that drops a port for everybody: the protocol and the port. Another may be an address or an interface."""


def _first_drops(rules: list[bytes], chain: bytes, port: int) -> bool:
    """Whether the first rule of the chain that names the port drops it, and none of another chain lets it pass."""
    naming = [rule for rule in rules if _names(rule, port)]
    own = [rule for rule in naming if attributes(rule).get(2) == chain]
    others = (rule for rule in naming if attributes(rule).get(2) != chain)
    return bool(own) and _drops(own[0], port) and all(_drops(rule, port) for rule in others)


def _drops(rule: bytes, port: int) -> bool:
    """Whether a rule ends each packet to the port."""
    rest = [(name, data) for name, data in _expressions(rule) if name not in PASSES_ON and name not in LOADS]
    conditions = rest[:-1]
    if not conditions or len(conditions) > MOST_CONDITIONS or not _is_refusal(*rest[-1]):
        return False
    return _names(rule, port) and all(name != b"cmp" or _is_of_udp(data) for name, data in conditions)


LOADS = frozenset({b"payload", b"meta"})
"""Expressions that only bring what the next one compares."""


UDP = bytes([socket.IPPROTO_UDP])

ANY = [0, 65535]
"""Destination ports of a match of iptables that asks for none."""


def _is_of_udp(comparison: bytes) -> bool:
    """Whether it asks for UDP, or for a port of it, and not for anything but that."""
    found = attributes(comparison)
    value, equal = _value(found.get(3, b"")), _number(found.get(2, b"")) == 0  # NFT_CMP_EQ
    return equal and (value == UDP or len(value) == 2)


def _names(rule: bytes, port: int) -> bool:
    """Whether a rule compares anything with the port."""
    return any(_compares(name, data, port) for name, data in _expressions(rule))


def _compares(name: bytes, data: bytes, port: int) -> bool:
    found = attributes(data)
    if name == b"cmp":
        return _value(found.get(3, b"")) == port.to_bytes(2, "big")
    if name == b"range":
        lowest, highest = (int.from_bytes(_value(found.get(kind, b"")), "big") for kind in (3, 4))
        return lowest <= port <= highest
    if name == b"match":  # of iptables, whose matches hold ports in the host's order (linux/netfilter/xt_tcpudp.h)
        info = found.get(3, b"")
        ports = [int.from_bytes(info[at : at + 2], sys.byteorder) for at in range(0, len(info) - 1, 2)]
        if found.get(1, b"").rstrip(b"\0") in (b"udp", b"tcp"):
            return len(ports) >= 4 and ports[2:4] != ANY and ports[2] <= port <= ports[3]
        return port in ports
    return False


def _in_a_set(elements: Iterable[bytes], port: int) -> bool:
    """Whether an element of a set has the port as its key, or as a part of it, each of which fills four bytes."""
    keys = (attributes(each).get(1, b"") for message in elements for _, each in _each(attributes(message).get(3, b"")))
    wanted = port.to_bytes(2, "big")
    for key in map(_value, keys):
        parts = [key[at : at + 4] for at in range(0, len(key), 4)]
        if wanted in parts or wanted + bytes(2) in parts:
            return True
    return False


def _value(data: bytes) -> bytes:
    """NFTA_DATA_VALUE."""
    return attributes(data).get(1, b"")


def _number(data: bytes) -> int | None:
    return NUMBER.unpack(data)[0] if len(data) == NUMBER.size else None

"""Which chains of nftables drop what comes in and is not named, and which ports their tables name.

The kernel answers by netlink (linux/netfilter/nf_tables.h), so the rules are those in force, whichever program made
them: nft, firewalld, ufw, iptables-nft. Nothing is changed. A rule is not followed to its end: what is said here is
"may".
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterable, Iterator, Mapping

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


def input_chains(ports: Iterable[int]) -> tuple[InputChain, ...] | None:
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
    ports: Iterable[int],
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
        if how:
            texts = [*own, *(element for place, element in elements if place == (family, table))]
            named = frozenset(port for port in ports if any(_names(text, port) for text in texts))
            words = (FAMILIES[family], *(part.rstrip(b"\0").decode(errors="replace") for part in (table, name)))
            found.append(InputChain(" ".join(words), how, named))
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


def _names(text: bytes, port: int) -> bool:
    """As nft writes it, or as the matches of iptables do, in the host's order."""
    return port.to_bytes(2, "big") in text or port.to_bytes(2, "little") in text


def _number(data: bytes) -> int | None:
    return NUMBER.unpack(data)[0] if len(data) == NUMBER.size else None

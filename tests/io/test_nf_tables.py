"""Chains that refuse what comes in, as the kernel tells them; the kernel's own in a network namespace of a process."""

from __future__ import annotations

import errno
import json
import socket
import struct
import subprocess
import sys

import pytest

from ovsnet.io.nf_tables import InputChain, input_chains, judge

PORTS = (6081, 4789)

PROGRAM = """
import json, socket, struct, sys
from ovsnet.io.nf_tables import input_chains

def attribute(kind, value):
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)

def text(kind, value):
    return attribute(kind, value.encode() + bytes(1))

def number(kind, value):
    return attribute(kind, struct.pack(">I", value))

def message(number, kind, flags, family, resource, body=b""):
    body = struct.pack(">BBH", family, 0, resource) + body
    return struct.pack("=IHHII", 16 + len(body), kind, flags, number, 0) + body

def expression(name, data=b""):
    return attribute(1, text(1, name) + attribute(2, data))

PORT = expression("payload", number(1, 1) + number(2, 2) + number(3, 2) + number(4, 2))
PORT += expression("cmp", number(1, 1) + number(2, 0) + attribute(3, attribute(1, struct.pack(">H", 6081))))
OTHER = expression("cmp", number(1, 1) + number(2, 0) + attribute(3, attribute(1, struct.pack(">H", 53))))
NOT_FROM = expression("payload", number(1, 1) + number(2, 1) + number(3, 12) + number(4, 4))
NOT_FROM += expression("cmp", number(1, 1) + number(2, 1) + attribute(3, attribute(1, bytes([10, 0, 0, 1]))))
LOAD = expression("payload", number(1, 1) + number(2, 2) + number(3, 2) + number(4, 2))
COUNTER = expression("counter")
COUNTED = expression("counter", attribute(1, struct.pack(">Q", 6081)) + attribute(2, struct.pack(">Q", 6081)))
DROPS = expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 0))))

def protocol(number_of_it):
    wanted = attribute(3, attribute(1, bytes([number_of_it])))
    return expression("meta", number(1, 1) + number(2, 16)) + expression("cmp", number(1, 1) + number(2, 0) + wanted)

ACCEPTS = expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 1))))
RULES = {
    "drop": expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 0)))),
    "accept": expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 1)))),
    "reject": COUNTER + expression("reject", number(1, 1) + attribute(2, bytes([3]))),
    "port": PORT + expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 1)))),
    "other-drop": LOAD + OTHER + expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 0)))),
    "address-drop": NOT_FROM + PORT + expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 0)))),
    "counted": LOAD + OTHER + COUNTED + ACCEPTS,
    "udp-drop": protocol(17) + PORT + DROPS,
    "tcp-drop": protocol(6) + PORT + DROPS,
    "port-drop": PORT + expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 0)))),
}
hook, policy, *rules = sys.argv[1:]
INET, NEW = 1, 0x400 | 0x800 | 1
chain = text(1, "t") + text(3, "c") + attribute(4, number(1, int(hook)) + number(2, 0)) + number(5, int(policy))
parts = [message(1, 16, 1, 0, 10), message(2, 0xA00, NEW, INET, 0, text(1, "t"))]
parts.append(message(3, 0xA03, NEW, INET, 0, chain + text(7, "filter")))
for count, rule in enumerate(rules):
    parts.append(message(4 + count, 0xA06, NEW, INET, 0, text(1, "t") + text(2, "c") + attribute(4, RULES[rule])))
parts.append(message(99, 17, 1, 0, 10))
with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12) as kernel:
    kernel.settimeout(0.2)
    kernel.send(b"".join(parts))
    try:
        answer = kernel.recv(4096)
        sys.exit(f"refused: {answer.hex()}")
    except TimeoutError:
        pass
found = input_chains((6081, 4789))
print(json.dumps(None if found is None else [[each.name, each.how, sorted(each.named)] for each in found]))
"""

ALONE = ("unshare", "--net", "--map-root-user")
UNNAMED = ", and no rule of its table names the port"
POLICY, REST = f"policy drop{UNNAMED}", f"a rule that refuses all the rest{UNNAMED}"
DROPS = "a rule that drops what comes to the port"
ACCEPT, DROP = "1", "0"
INPUT, FORWARD = "1", "2"


@pytest.mark.parametrize(
    ("hook", "policy", "rules", "found"),
    [
        (INPUT, ACCEPT, [], []),
        (FORWARD, DROP, [], []),
        (INPUT, DROP, [], [["inet t c", POLICY, []]]),
        (INPUT, DROP, ["port"], [["inet t c", POLICY, [6081]]]),
        (INPUT, ACCEPT, ["accept", "drop"], [["inet t c", REST, []]]),
        (INPUT, ACCEPT, ["port", "reject"], [["inet t c", REST, [6081]]]),
        (INPUT, ACCEPT, ["port-drop"], [["inet t c", DROPS, [4789]]]),
        (FORWARD, ACCEPT, ["port-drop"], []),
        (INPUT, ACCEPT, ["port", "port-drop"], []),
        (INPUT, ACCEPT, ["udp-drop"], [["inet t c", DROPS, [4789]]]),
        (INPUT, ACCEPT, ["tcp-drop"], []),
        (INPUT, ACCEPT, ["other-drop"], []),
        (INPUT, ACCEPT, ["address-drop"], []),
        (INPUT, DROP, ["counted"], [["inet t c", POLICY, []]]),
    ],
)
def test_kernel_tells_which_chains_refuse(hook: str, policy: str, rules: list[str], found: list[list[object]]) -> None:
    ran = subprocess.run(
        [*ALONE, sys.executable, "-c", PROGRAM, hook, policy, *rules], capture_output=True, text=True, check=False
    )
    if "refused" in ran.stderr or "unshare" in ran.stderr:
        pytest.skip("this kernel has no nftables for such a namespace")
    assert ran.stderr == ""
    assert json.loads(ran.stdout) == found


@pytest.mark.parametrize(
    ("refusal", "found"), [(errno.EPERM, None), (errno.EPROTONOSUPPORT, ()), (errno.ENOBUFS, None)]
)
def test_kernel_without_nftables_has_no_chain_and_one_that_refuses_is_unknown(
    monkeypatch: pytest.MonkeyPatch, refusal: int, found: tuple[InputChain, ...] | None
) -> None:
    def refuse(*arguments: object) -> None:
        raise OSError(refusal, "")

    monkeypatch.setattr(socket, "socket", refuse)
    assert input_chains(PORTS) == found


def test_own_namespace_can_be_asked_by_anybody() -> None:
    """None where we may not, and chains where we may."""
    found = input_chains(PORTS)
    assert found is None or all(isinstance(each, InputChain) for each in found)


def attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + bytes(-length % 4)


CHAIN = attribute(1, b"t\0") + attribute(3, b"c\0") + attribute(5, struct.pack(">I", 0))


def judged(rules: bytes = b"", key: bytes = b"") -> frozenset[int]:
    """Which ports a table names, with a policy of drop, one rule and one element of a set."""
    rule = attribute(1, b"t\0") + attribute(2, b"c\0") + attribute(4, attribute(1, rules))
    element = attribute(3, attribute(1, attribute(1, attribute(1, key))))
    (found,) = judge([(1, CHAIN)], [(1, rule)], [((1, b"t\0"), element)], PORTS)
    return found.named


@pytest.mark.parametrize(
    ("key", "named"),
    [
        (struct.pack(">H", 6081), {6081}),
        (bytes([10, 0, 0, 1]) + struct.pack(">HH", 6081, 0), {6081}),
        (struct.pack(">HH", 7, 6081), set()),
        (b"", set()),
    ],
)
def test_element_of_a_set_names_a_port_as_its_key_or_a_part_of_it(key: bytes, named: set[int]) -> None:
    assert judged(key=key) == named


@pytest.mark.parametrize(
    ("match", "ports", "named"),
    [
        (b"udp", (0, 65535, 6081, 6081), {6081}),
        (b"udp", (0, 65535, 4000, 7000), {6081, 4789}),
        (b"udp", (53, 53, 0, 65535), set()),
        (b"multiport", (0x0201, 53, 6081), {6081}),
        (b"comment", (), set()),
    ],
)
def test_match_of_iptables_names_its_ports(match: bytes, ports: tuple[int, ...], named: set[int]) -> None:
    info = struct.pack(f"={len(ports)}H", *ports)
    data = attribute(1, match + b"\0") + attribute(3, info)
    assert judged(attribute(1, b"match\0") + attribute(2, data)) == named

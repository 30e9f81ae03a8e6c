"""Chains that refuse what comes in, as the kernel tells them; the kernel's own in a network namespace of a process."""

from __future__ import annotations

import errno
import json
import socket
import subprocess
import sys

import pytest

from ovsnet.io.nf_tables import InputChain, input_chains

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
COUNTER = expression("counter")
RULES = {
    "drop": expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 0)))),
    "accept": expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 1)))),
    "reject": COUNTER + expression("reject", number(1, 1) + attribute(2, bytes([3]))),
    "port": PORT + expression("immediate", number(1, 0) + attribute(2, attribute(2, number(1, 1)))),
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
POLICY, REST = "policy drop", "a rule that refuses all the rest"
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
        (INPUT, ACCEPT, ["port-drop"], []),
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

"""The same messages through os-ken's codec: ``python -m bench.laps.os_ken_codec echo|ports COUNT``, on its interpreter.

It is given each message whole: its framing is a part of its controller.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from os_ken.ofproto import ofproto_parser, ofproto_v1_3_parser
from os_ken.ofproto.ofproto_protocol import ProtocolDesc

from bench.laps.messages import ECHO_REPLY, PAYLOAD, PORT_DESC_REPLY, PORTS, VERSION
from bench.laps.report import WARM_UP, Stopwatch, tell

PROTOCOL = ProtocolDesc(version=VERSION)


def echo(count: int) -> None:
    for xid in range(count):
        version, kind, length, number = ofproto_parser.header(ECHO_REPLY)
        reply = ofproto_parser.msg(PROTOCOL, version, kind, length, number, ECHO_REPLY)
        assert reply.data == PAYLOAD
        request = ofproto_v1_3_parser.OFPEchoRequest(PROTOCOL, PAYLOAD)
        request.set_xid(xid)
        request.serialize()


def ports(count: int) -> None:
    for _ in range(count):
        version, kind, length, number = ofproto_parser.header(PORT_DESC_REPLY)
        reply = ofproto_parser.msg(PROTOCOL, version, kind, length, number, PORT_DESC_REPLY)
        assert len(reply.body) == PORTS


WORK: dict[str, Callable[[int], None]] = {"echo": echo, "ports": ports}


if __name__ == "__main__":
    work, number = WORK[sys.argv[1]], int(sys.argv[2])
    work(int(number * WARM_UP))
    watch = Stopwatch()
    work(number)
    tell([watch.cost(number)])

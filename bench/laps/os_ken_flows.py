"""The same reply through os-ken's codec: ``python -m bench.laps.os_ken_flows FILE``, on its interpreter."""

from __future__ import annotations

import sys
from pathlib import Path

from os_ken.ofproto import ofproto_parser, ofproto_v1_3_parser
from os_ken.ofproto.ofproto_protocol import ProtocolDesc

from bench.laps.report import Stopwatch, tell

PROTOCOL = ProtocolDesc(version=4)
assert ofproto_v1_3_parser


def decode(reply: bytes) -> int:
    """How many flows it holds; os-ken decodes match and actions of each as it reads it."""
    count = start = 0
    while start < len(reply):
        version, kind, length, xid = ofproto_parser.header(reply[start : start + 8])
        message = ofproto_parser.msg(PROTOCOL, version, kind, length, xid, reply[start : start + length])
        count += len(message.body)
        start += length
    return count


if __name__ == "__main__":
    messages = Path(sys.argv[1]).read_bytes()
    watch = Stopwatch()
    tell([watch.cost(decode(messages))])

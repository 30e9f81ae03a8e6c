"""A reply of flows, decoded in whole: ``python -m bench.laps.flow_decode FILE``. FILE holds its messages."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.laps.report import Stopwatch, tell
from ovsnet.protocol.openflow import parse_flows
from ovsnet.protocol.openflow.framing import Framer


def decode(reply: bytes) -> int:
    """How many flows it holds; of each the match and the actions were looked at."""
    count = 0
    for message in Framer().messages(reply):
        for flow in parse_flows(message):
            assert flow.match is not None
            assert flow.actions is not None
            count += 1
    return count


if __name__ == "__main__":
    messages = Path(sys.argv[1]).read_bytes()
    watch = Stopwatch()
    tell([watch.cost(decode(messages))])

"""Messages through our codec, without a socket: ``python -m bench.laps.openflow_codec echo|ports COUNT``.

``echo``: a reply is taken from the stream and read, and a request is written. ``ports``: a description of 64 ports is
read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench.laps.messages import ECHO_REPLY, HELLO, PAYLOAD, PORT_DESC_REPLY, PORTS, VERSION
from bench.laps.report import WARM_UP, Stopwatch, tell
from ovsnet.protocol.openflow import Connection, Message, echo_request, parse_ports


def greeted() -> Connection:
    connection = Connection()
    connection.receive_data(HELLO)
    return connection


def echo(connection: Connection, count: int) -> None:
    for xid in range(count):
        (reply,) = connection.receive_data(ECHO_REPLY)
        assert isinstance(reply, Message)
        assert reply.body == PAYLOAD
        echo_request(VERSION, xid, PAYLOAD)


def ports(connection: Connection, count: int) -> None:
    for _ in range(count):
        (reply,) = connection.receive_data(PORT_DESC_REPLY)
        assert isinstance(reply, Message)
        assert len(parse_ports(reply)) == PORTS


WORK: dict[str, Callable[[Connection, int], None]] = {"echo": echo, "ports": ports}


if __name__ == "__main__":
    work, number = WORK[sys.argv[1]], int(sys.argv[2])
    stream = greeted()
    work(stream, int(number * WARM_UP))
    watch = Stopwatch()
    work(stream, number)
    tell([watch.cost(number)])

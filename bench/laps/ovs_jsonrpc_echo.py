"""The same echoes by ``ovs.jsonrpc`` as pip installs it: ``python -m bench.laps.ovs_jsonrpc_echo ADDRESS WIDTH COUNT``.

Its ``Connection`` keeps WIDTH requests in flight: a request goes out for every reply that came in, and the process
sleeps in ``ovs.poller`` only when there is nothing to read. That is the fastest of its natural uses; ``Session`` adds
its reconnect machine to every message.
"""

from __future__ import annotations

import errno
import sys

from ovs import jsonrpc, poller, stream

from bench.laps.report import WARM_UP, Stopwatch, tell


def main(address: str, width: int, count: int) -> None:
    error, connected = stream.Stream.open_block(stream.Stream.open(address))
    if error:
        raise SystemExit(f"{address}: {errno.errorcode[error]}")
    connection = jsonrpc.Connection(connected)
    echo(connection, width, int(count * WARM_UP))
    watch = Stopwatch()
    echo(connection, width, count)
    tell([watch.cost(count)])
    connection.close()


def echo(connection: jsonrpc.Connection, width: int, count: int) -> None:
    unsent, missing = count, count
    for _ in range(min(width, count)):
        connection.send(jsonrpc.Message.create_request("echo", []))
        unsent -= 1
    while missing:
        connection.run()
        error, reply = connection.recv()
        if reply is not None:
            missing -= 1
            if unsent:
                connection.send(jsonrpc.Message.create_request("echo", []))
                unsent -= 1
        elif error == errno.EAGAIN:
            _sleep(connection)
        else:
            raise SystemExit(f"lost the connection: {error}")


def _sleep(connection: jsonrpc.Connection) -> None:
    waiting = poller.Poller()
    connection.wait(waiting)
    connection.recv_wait(waiting)
    waiting.block()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))

"""Look at one fact as often as possible; say "watching", and then the moments at which it was first seen.

``python -m bench.laps.first serve PATH``: the switch's socket takes a connection, and its HELLO comes.
``python -m bench.laps.first unready HOST PORT``: ``/readyz`` is no longer 200, asked over one connection.
The moments are of CLOCK_MONOTONIC, which all processes of a host share.
"""

from __future__ import annotations

import socket
import sys
import time

PAUSE = 0.0005
"""Seconds between two looks: a core for the looking alone would be taken from those who are watched."""

HELLO = bytes.fromhex("04 00 0008 00000000")
"""Of OpenFlow 1.3. A connection that is closed without one leaves a line in the switch's log."""

REQUEST = b"GET /readyz HTTP/1.1\r\nHost: agent\r\n\r\n"


def serve(path: str) -> tuple[float, ...]:
    while True:
        with socket.socket(socket.AF_UNIX) as switch:
            try:
                switch.connect(path)
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(PAUSE)
                continue
            accepted = time.monotonic()
            switch.sendall(HELLO)
            switch.recv(4096)
            return accepted, time.monotonic()


def unready(host: str, port: str) -> tuple[float, ...]:
    with socket.create_connection((host, int(port))) as agent:
        while True:
            agent.sendall(REQUEST)
            answer = agent.recv(65536)  # the agent answers in one write
            if not answer.startswith(b"HTTP/1.1 200"):
                return (time.monotonic(),)
            time.sleep(PAUSE)


if __name__ == "__main__":
    fact, *where = sys.argv[1:]
    print("watching", flush=True)
    print(*(serve(*where) if fact == "serve" else unready(*where)), flush=True)

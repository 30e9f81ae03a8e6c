"""A daemon that floods: listens in the place of one, and sends as much as it can.

``python -m bench.laps.flooder KIND PATH [UPSTREAM]``: listens at PATH until it is ended. ``db-…`` stand before the real
server at UPSTREAM, so that what they push is of rows that the client knows.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import sys
import threading
from collections.abc import Callable

BLOCK = 1 << 16

HELLO = bytes.fromhex("0600000800000001")

_MONITOR = re.compile(rb'"monitor_cond_since","params":\["Open_vSwitch",("[^"]*"|\[[^\]]*\])')
_ROOT = re.compile(rb'"Open_vSwitch":\{"([0-9a-f-]{36})"')


def openflow(kind: int, body: bytes) -> bytes:
    """A block of messages of one kind."""
    one = struct.pack("!BBHI", 6, kind, 8 + len(body), 0x7FFFFFFF) + body
    return one * (BLOCK // len(one))


BLOCKS: dict[str, Callable[[], bytes]] = {
    "of-echo": lambda: openflow(2, b""),
    "of-error": lambda: openflow(1, struct.pack("!HH", 1, 6) + bytes(16)),
    "of-async": lambda: openflow(12, bytes(72)),
    "db-echo": lambda: b'{"id":"x","method":"echo","params":[]}' * (BLOCK // 38),
}


PAIRS: dict[str, Callable[[], bytes]] = {
    "db-update": lambda: b'["flood","b"]',
    "db-large": lambda: b'["flood","%s"]' % (b"x" * (1 << 20)),
    "db-map": lambda: b",".join(b'["flood%06d","b"]' % number for number in range(300_000)),
}
"""What is put into external_ids by each push."""


class Seen:
    """What a proxy has learnt of its client's monitor."""

    def __init__(self) -> None:
        self.key = self.row = b""

    def update(self, pairs: bytes) -> bytes:
        """A push for it."""
        change = b'{"Open_vSwitch":{"%s":{"modify":{"external_ids":["map",[%s]]}}}}' % (self.row, pairs)
        return b'{"id":null,"method":"update3","params":[%s,"%s",%s]}' % (self.key, self.row, change)


def serve(kind: str, path: str, upstream: str) -> None:
    """Every client gets a thread."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_flood, args=(kind, client, upstream), daemon=True).start()


def _flood(kind: str, client: socket.socket, upstream: str) -> None:
    with contextlib.suppress(OSError), client:
        if kind.startswith("ctl-"):
            _answer_deeply(client, refuse=kind == "ctl-refusal")
        elif kind in BLOCKS:
            if kind.startswith("of-"):
                client.sendall(HELLO)
            threading.Thread(target=_drain, args=(client,), daemon=True).start()
            block = BLOCKS[kind]()
            while True:
                client.sendall(block)
        else:
            _push(client, upstream, PAIRS[kind]())


def _push(client: socket.socket, upstream: str, pairs: bytes) -> None:
    seen = Seen()
    with socket.socket(socket.AF_UNIX) as server:
        server.connect(upstream)
        threading.Thread(target=_asks, args=(client, server, seen), daemon=True).start()
        said = b""
        while not (seen.key and seen.row):
            data = server.recv(BLOCK)
            if not data:
                return
            said += data
            client.sendall(data)
            if seen.key and (found := _ROOT.search(said)):
                seen.row = found[1]
        server.settimeout(0.3)
        with contextlib.suppress(TimeoutError):  # the end of that answer; a question that comes then gets none
            client.sendall(server.recv(BLOCK))
        one = seen.update(pairs)
        block = one * max(BLOCK // len(one), 1)
        while True:
            client.sendall(block)


def _asks(client: socket.socket, server: socket.socket, seen: Seen) -> None:
    said = b""
    with contextlib.suppress(OSError):
        while data := client.recv(BLOCK):
            said = (said + data)[-BLOCK:]
            if found := _MONITOR.search(said):
                seen.key = found[1]
            server.sendall(data)


def _drain(client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while client.recv(BLOCK):
            pass


def _answer_deeply(client: socket.socket, *, refuse: bool) -> None:
    """Ten megabytes of empty arrays to each question."""
    body = b"[" + b"[]," * (10 * 1000 * 1000 // 3) + b"[]]"
    while asked := client.recv(BLOCK):
        for number in re.findall(rb'"id":(\d+)', asked):
            result, error = (b"null", body) if refuse else (body, b"null")
            client.sendall(b'{"id":' + number + b',"result":' + result + b',"error":' + error + b"}")


if __name__ == "__main__":
    serve(sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else "")

"""``python mute_server.py``: a server on a free port of loopback, which it prints. It accepts, and says nothing.

It is a process of its own: one that does other things is seen to be at work."""

from __future__ import annotations

import signal
import socket
import sys
import threading


def serve(server: socket.socket) -> None:
    accepted = []
    while True:
        accepted.append(server.accept()[0])


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        threading.Thread(target=serve, args=(listening,), daemon=True).start()
        signal.pause()

"""``python mute_server.py``: a server on a free port of loopback, which it prints. Whoever connects hears nothing.

It is a process of its own, and only the kernel accepts: one that does anything at all is seen to be at work."""

from __future__ import annotations

import signal
import socket
import sys

if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listening:
        sys.stdout.write(f"{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        signal.pause()

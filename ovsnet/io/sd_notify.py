"""Tell a service manager how we are: the datagrams of sd_notify(3), which is no more than a line of text each."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping

from ovsnet.texts import for_manager, whole_number

SendDatagram = Callable[[str], None]


class Notifier:
    """``send`` takes the text of one datagram. ``watchdog`` is the period in seconds within which the manager wants to
    hear ``alive``, None when it does not care."""

    def __init__(self, send: SendDatagram, watchdog: float | None = None) -> None:
        self._send = send
        self.watchdog = watchdog

    @classmethod
    def of(cls, environ: Mapping[str, str], pid: int) -> Notifier:
        """What the environment asks of process ``pid``: ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``."""
        path = environ.get("NOTIFY_SOCKET", "")
        if not path.startswith(("/", "@")):
            return cls(lambda text: None)
        meant = environ.get("WATCHDOG_PID", str(pid)) == str(pid)
        period = whole_number(environ.get("WATCHDOG_USEC", ""))
        return cls(_datagrams_to(path), period / 1e6 if meant and period is not None else None)

    def ready(self, status: str) -> None:
        """We listen, or are done reloading."""
        self._send(f"READY=1\nSTATUS={_one_line(status)}")

    def status(self, status: str) -> None:
        """A sentence for ``systemctl status``."""
        self._send(f"STATUS={_one_line(status)}")

    def reloading(self) -> None:
        """A reload began. systemd 253 and later (``Type=notify-reload``) want the time of that."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """The end has begun."""
        self._send("STOPPING=1\nSTATUS=Open requests finish.")

    def alive(self) -> None:
        """Our own loop turns."""
        self._send("WATCHDOG=1")


def _one_line(text: str) -> str:
    """A line break would begin another assignment."""
    return for_manager(" ".join(text.split()))


def _datagrams_to(path: str) -> SendDatagram:
    address = "\0" + path[1:] if path.startswith("@") else path

    def send(text: str) -> None:
        # The manager's queue may be full, or it may be gone: neither may hold us up or end us.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.setblocking(False)
            sock.sendto(text.encode(), address)

    return send

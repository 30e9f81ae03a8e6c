"""What carries a daemon's lines: a file, syslog, the journal, a container's runtime. Pure.

All of them leave ``TIME|NUMBER|MODULE|LEVEL|TEXT`` as it is, so a line is split at its bars whatever stands before the
first. Only JSON has to be decoded: it escapes the text.
"""

from __future__ import annotations

import json
import re

import msgspec

from ovsnet.explain.clock import Moment, Zone, first_in, last_in, stamp

PROGRAM = re.compile(rb"(?:^|\s)([\w.-]+) (ovs-vswitchd|ovsdb-server|ovn-controller|ovn-northd|kernel)(?:\[(\d+)\])?:")
"""Host, identifier and pid, as syslog and ``journalctl`` print them."""
HOST = re.compile(
    rb"\d\d:\d\d:\d\d\S* ([A-Za-z][\w.-]*) (?:kernel|systemd|kubelet|microk8s[\w.-]*|k3s|rke2)(?:\[\d+\])?:"
)
"""The host before the word of those that watch over the daemons."""
PREFIX = re.compile(rb"^\[pod/([\w.-]+)/[\w.-]+\]")
"""``kubectl logs --prefix``."""
SENDER = ("SYSLOG_IDENTIFIER", "_HOSTNAME", "_PID", "_SYSTEMD_UNIT")
"""The journal's fields (systemd.journal-fields(7))."""
WIDEST = 20
"""Digits that no number of a line has."""
NAME = 100
"""Longer is not a name of a program, a host or a module."""


class Split(msgspec.Struct, frozen=True):
    """A line taken apart. ``head`` is what stands before the first bar; ``program``, ``host`` and ``process``, which is
    its pid and where known its unit, are what the carrier says of the sender."""

    head: bytes
    number: bytes
    module: bytes
    level: bytes
    text: bytes
    program: bytes = b""
    host: bytes = b""
    process: bytes = b""

    def moment(self, zone: Zone) -> Moment | None:
        """When it was written: the daemon's own time where it gave one."""
        return last_in(self.head, zone.of_host(self.host))


def number_of(digits: bytes) -> int:
    """The number of a line; 0 where that is none."""
    return int(digits) if digits.isdigit() and len(digits) < WIDEST else 0


def split(line: bytes) -> Split | None:
    """``line`` taken apart, or None where it is not a line of a daemon."""
    program = host = process = b""
    if line[:1] == b"{" and (opened := from_json(line)) is not None:
        line, program, host, process = opened
    parts = line.rstrip(b"\r\n").split(b"|", 4)
    if len(parts) < 5 or not parts[1].isdigit():
        return None
    if not program and (found := PROGRAM.search(parts[0])):
        host, program, process = found[1], found[2], found[3] or b""
    if not host and (found := PREFIX.match(parts[0])):
        host = found[1]
    head, number, module, level, text = parts
    return Split(head, number, module, level, text, program[:NAME], host[:NAME], process[:NAME])


def from_json(line: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """What a line of Docker's ``json-file`` or of ``journalctl -o json`` holds: the message, the sender, its host, and
    its process."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    message = found.get("log", found.get("MESSAGE", found.get("message")))
    if not isinstance(message, str):
        return None
    program, host, pid, unit = (_text(found.get(key)).encode(errors="replace") for key in SENDER)
    text = message.partition("\n")[0].encode(errors="replace")  # a runtime leaves the end of the line in it
    stamp = found.get("time")
    if first_in(text.partition(b"|")[0], Zone()) is None and isinstance(stamp, str):
        text = stamp.encode(errors="replace") + b" " + text
    if (micro := _text(found.get("__REALTIME_TIMESTAMP"))).isdecimal() and len(micro) < 17:
        text = _stamped(int(micro), text)
    return text, program, host, pid + b" " + unit if unit else pid


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _stamped(micro: int, text: bytes) -> bytes:
    """``text`` behind the journal's own time, unless it has one itself."""
    if first_in(text.partition(b"|")[0], Zone()) is not None:
        return text
    return stamp(micro / 1e6).encode() + b" " + text

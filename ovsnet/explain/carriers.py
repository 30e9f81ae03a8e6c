"""What carries a daemon's lines: a file, syslog, the journal, a container's runtime. Pure.

All of them leave ``TIME|NUMBER|MODULE|LEVEL|TEXT`` as it is, so a line is split at its bars whatever stands before the
first. Only JSON has to be decoded: it escapes the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence

import msgspec

from ovsnet.explain.clock import Moment, Zone, first_in, last_in, stamp

PROGRAM = re.compile(rb"(?:^|\s)([\w.-]+) (ovs-vswitchd|ovsdb-server|ovn-controller|ovn-northd|kernel)(?:\[(\d+)\])?:")
"""Host, identifier and pid, as syslog and ``journalctl`` print them."""
HOST = re.compile(
    rb"(?:\d\d:\d\d:\d\d\S*|^\d{9,10}\.\d{6}) ([A-Za-z][\w.-]*) "
    rb"(?:kernel|systemd|kubelet|microk8s[\w.-]*|k3s|rke2)(?:\[\d+\])?:"
)
"""The host before the word of those that watch over the daemons."""
RFC5424 = re.compile(rb"^(?:<\d+>)?1 \S+ (\S+) (ovs-vswitchd|ovsdb-server|ovn-controller|ovn-northd) (\d+)?")
"""Host, program and pid of a message of syslog (RFC 5424, section 6)."""
PREFIX = re.compile(rb"^(?:\[pod/([\w.-]+)/([\w.-]+)\]|([\w.-]+) ([\w.-]+)) (?=\d{4}-)")
"""Pod and container, as ``kubectl logs --prefix`` and stern print them."""
LABELLED = re.compile(rb"^([\w.-]+) (?=\d{4}-)")
"""The container alone, as ``order`` leaves it of ``docker compose logs``."""
COLOUR = re.compile(rb"\x1b\[[\d;]*m")
"""What a terminal was to colour (ECMA-48, 8.3.117)."""
FRAMES = (b"{", b"\x1e{", b"data: {")
"""What a line of JSON begins with, also as ``journalctl -o json-seq`` (RFC 7464) and ``json-sse`` print it."""
UNREAD = (
    (re.compile(rb"^__(?:CURSOR|REALTIME_TIMESTAMP)=", re.MULTILINE), "is what `journalctl -o export` prints"),
    (
        re.compile(rb'^[\t ]+"__(?:CURSOR|REALTIME_TIMESTAMP)"', re.MULTILINE),
        "is what `journalctl -o json-pretty` prints",
    ),
)
"""Forms of the journal with a line for each field of a line."""
SENDER = ("SYSLOG_IDENTIFIER", "_HOSTNAME", "_PID", "_SYSTEMD_UNIT")
"""The journal's fields (systemd.journal-fields(7))."""
MESSAGES = ("log", "MESSAGE", "message")
CONTAINERS = (("kubernetes", "container_name"), ("kubernetes", "container", "name"), ("log", "file", "path"))
HOSTS = (("kubernetes", "pod_name"), ("kubernetes", "pod", "name"), ("host", "name"), ("kubernetes", "host"))
"""Where Fluent Bit's and Fluentd's filter "kubernetes" and the Elastic Common Schema name the sender."""
WIDEST = 20
"""Digits that no number of a line has."""
NAME = 100
"""Longer is not a name of a program, a host or a module."""


class Split(msgspec.Struct, frozen=True):
    """A line taken apart. ``head`` is what stands before the first bar; ``program``, which may be a container, ``host``
    and ``process``, which is its pid and where known its unit, are what the carrier says of the sender."""

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
    if (held := json_in(line)) and (opened := from_json(held)) is not None:
        line, program, host, process = opened
    if b"\x1b" in line:
        line = COLOUR.sub(b"", line)
    parts = line.rstrip(b"\r\n").split(b"|", 4)
    if len(parts) < 5 or not parts[1].isdigit():
        return None
    if not program and (found := PROGRAM.search(parts[0]) or RFC5424.match(parts[0])):
        host, program, process = found[1], found[2], found[3] or b""
    if not host and (found := PREFIX.match(parts[0])):
        host, program = found[1] or found[3], found[2] or found[4]
    if not program and (found := LABELLED.match(parts[0])):
        program = process = found[1]
    head, number, module, level, text = parts
    return Split(head, number, module, level, text, program[:NAME], host[:NAME], process[:NAME])


def json_in(line: bytes) -> bytes:
    """The object in a line of JSON; nothing where it is none."""
    return line[line.index(b"{") :] if line.startswith(FRAMES) else b""


def unread(head: bytes) -> str:
    """Why a text that begins so is not read, where it is a log of a form that is not; else nothing."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "is UTF-16: give what `iconv -f UTF-16 -t UTF-8` makes of it."
    return next((f"{what}: give what `-o json` does." for sign, what in UNREAD if sign.search(head)), "")


def from_json(line: bytes) -> tuple[bytes, bytes, bytes, bytes] | None:
    """What a line of Docker's ``json-file`` or of ``journalctl -o json`` holds: the message, the sender, its host, and
    its process."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    message = next((each for key in MESSAGES if isinstance(each := found.get(key), str)), None)
    if message is None:
        return None
    program, host, pid, unit = (_text(found.get(key)).encode(errors="replace") for key in SENDER)
    if not program:
        program, host = (_first(found, paths).encode(errors="replace") for paths in (CONTAINERS, HOSTS))
    text = message.partition("\n")[0].encode(errors="replace")  # a runtime leaves the end of the line in it
    stamp = found.get("time")
    if first_in(text.partition(b"|")[0], Zone()) is None and isinstance(stamp, str):
        text = stamp.encode(errors="replace") + b" " + text
    if (micro := _text(found.get("__REALTIME_TIMESTAMP"))).isdecimal() and len(micro) < 17:
        text = _stamped(int(micro), text)
    return text, program, host, pid + b" " + unit if unit else pid


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _first(found: object, paths: Iterable[Sequence[str]]) -> str:
    """What stands at the first of ``paths`` that leads to a text."""
    for path in paths:
        value = found
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return ""


def _stamped(micro: int, text: bytes) -> bytes:
    """``text`` behind the journal's own time, unless it has one itself."""
    if first_in(text.partition(b"|")[0], Zone()) is not None:
        return text
    return stamp(micro / 1e6).encode() + b" " + text

"""What SELinux or AppArmor kept the daemons from, as the logs within reach show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import PROGRAMS
from ovsnet.node.host_files import Host

LOGS = ("/var/log/audit/audit.log", "/var/log/kern.log", "/var/log/syslog", "/var/log/messages")
"""auditd's, and where the kernel's words go without it. The journal cannot be read as a file."""

TAIL = 1 << 20
"""Bytes at the end of each that are read."""

RECENT = 86400.0
"""Seconds."""

SHOWN = 3

_STAMP = re.compile(r"\baudit\((\d+)\.\d+:\d+\)")
_COMMAND = re.compile(r'\bcomm="([^"]+)"')
_CONFINED = re.compile(r'\bscontext=\S+:openvswitch\w*_t\b|\bprofile="[^"]*(?:ovs-|ovsdb|ovn|openvswitch)[^"]*"')
"""SELinux' domains of Open vSwitch (selinux-policy, openvswitch.te), and the names of AppArmor's profiles."""


@examination("access.denied")
def denied(host: Host, live: Live) -> Iterator[Finding]:
    """Neither SELinux nor AppArmor denies the daemons anything."""
    found: dict[str, list[str]] = {"SELinux": [], "AppArmor": []}
    read = [text for path in LOGS if (text := host.tail(path, TAIL)) is not None]
    for text in read:
        for line in text.splitlines():
            if (who := _denier(line)) and _is_recent(host, line) and _is_of_a_daemon(line):
                found[who].append(line)
    told = [
        warning(
            f"{who} has kept a daemon from something {len(lines)} times in the last day.",
            REMEDIES[who],
            *lines[-SHOWN:],
        )
        for who, lines in found.items()
        if lines
    ]
    if not read and (active := _active(host)):
        raise UnfitEnvironment(
            f"{active} is in use, and none of the logs with its denials is a file here.",
            remedy="Ask the journal: `journalctl --since -1d --grep 'avc: *denied|apparmor=.DENIED'`.",
        )
    yield from told or [ok("No log within reach shows that SELinux or AppArmor denied a daemon anything.")]


REMEDIES = {
    "SELinux": "See what and why: `ausearch -m avc -ts recent | audit2why`; `restorecon -Rv` its directories, or allow "
    "it in a module of your own (`audit2allow`).",
    "AppArmor": "Allow it in the profile that the lines name, below /etc/apparmor.d, and `apparmor_parser -r` it.",
}


def _denier(line: str) -> str:
    """Of a denial that was in force: SELinux also logs what it would have denied."""
    if "avc:" in line and "denied" in line and "permissive=1" not in line:
        return "SELinux"
    return "AppArmor" if 'apparmor="DENIED"' in line else ""


def _is_recent(host: Host, line: str) -> bool:
    stamp = _STAMP.search(line)
    return stamp is not None and host.now - float(stamp[1]) < RECENT


def _is_of_a_daemon(line: str) -> bool:
    """By its name, or by what confines it: the name is that of a thread (handler12), or of what it runs (modprobe)."""
    command = _COMMAND.search(line)
    named = command is not None and any(command[1] == program[:15] for program in PROGRAMS)
    return named or _CONFINED.search(line) is not None


def _active(host: Host) -> str:
    """Which of the two this kernel uses; empty when none."""
    if host.exists("/sys/fs/selinux/enforce"):
        return "SELinux"
    return "AppArmor" if (host.read("/sys/module/apparmor/parameters/enabled") or "").startswith("Y") else ""

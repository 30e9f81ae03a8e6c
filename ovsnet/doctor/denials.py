"""What SELinux or AppArmor kept the daemons from, as the logs within reach show."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
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


@examination("access.denied")
def denied(host: Host, live: Live) -> Iterator[Finding]:
    """Neither SELinux nor AppArmor denies the daemons anything."""
    found: dict[str, list[str]] = {"SELinux": [], "AppArmor": []}
    for path in LOGS:
        for line in (host.tail(path, TAIL) or "").splitlines():
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
    command = _COMMAND.search(line)
    return command is not None and any(command[1] == program[:15] for program in PROGRAMS)

"""The one command of a remedy, for a person who copies it. Pure.

A remedy has what is typed between backticks: commands, settings, names of keys. A command begins with a program. What
was found on the node is quoted for a shell: a port may bear any name, and ``$(reboot)`` is one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

PROGRAMS = frozenset(
    {
        *("kill", "prlimit", "systemctl", "modprobe", "sysctl", "touch", "ip"),  # what changes something
        *("cat", "ls", "ss", "pgrep", "df", "du", "dmesg", "findmnt", "coredumpctl", "conntrack", "journalctl"),
        *("ovs-vsctl", "ovs-appctl", "ovn-appctl", "ovn-sbctl", "ovsdb-client", "ovsnet"),
    }
)
"""Not ``ovs-ctl`` and ``ovsdb-tool``: what a remedy says of them comes after a step that has to be done first."""

MADE_BY_US = "{thaw}"
"""A fact that is a command as a whole: ``node.pressure`` makes it."""

_TYPED = re.compile("`([^`]+)`")
_TO_BE_FILLED_IN = re.compile(r"\b(PID|ID|NAME|ADDRESS|TYPE|VALUE|NETWORK|BRIDGE)\b")


def command_in(template: str, facts: Mapping[str, str]) -> str:
    """The first command of a remedy's template that can be run as it is, with the facts in it; empty when there is
    none."""
    for typed in map(str, _TYPED.findall(template)):
        if typed == MADE_BY_US:
            return typed.format_map(facts)
        if typed.split()[0] in PROGRAMS and not _TO_BE_FILLED_IN.search(typed):
            return typed.format_map({name: shlex.quote(value) for name, value in facts.items()})
    return ""

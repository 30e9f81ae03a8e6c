"""systemd units that wait for what they hold back.

``ovs-vsctl`` waits until ovs-vswitchd has taken its change over. In a command that runs before ovs-vswitchd may start
it waits for good, and the boot with it, until the unit's timeout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, ok, warning
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host

PLACES = ("/etc/systemd/system", "/run/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system")
"""A unit in the first hides its namesake in the others; drop-ins of all count (systemd.unit(5))."""

SWITCH = "ovs-vswitchd.service"

HELD_BACK = {SWITCH: ("ExecStartPre",), "ovsdb-server.service": ("ExecStartPre", "ExecStartPost")}
"""By unit, the commands that end before ovs-vswitchd starts: it comes after the database's unit."""

READING = frozenset(
    [
        *("get", "list", "show", "find", "list-br", "list-ports", "list-ifaces", "br-exists", "br-to-vlan"),
        *("br-to-parent", "port-to-br", "iface-to-br", "get-controller", "get-manager", "get-ssl", "get-fail-mode"),
        "br-get-external-id",
    ]
)
"""Commands of ovs-vsctl that change nothing, and so wait for nothing."""

_SETTING = re.compile(r"^\s*(\w+)\s*=[ \t]*(.*?)\s*$", re.MULTILINE)
_CALL = re.compile(r"""(?:^|[\s;&|'"(`/@!+:=-])ovs-vsctl\s+([^;&|'"`)]*)""")
_TAKES_A_WORD = ("-t", "--db")


class Command(msgspec.Struct, frozen=True):
    """A line of a unit, and the file it is in."""

    file: str
    line: str


@examination("unit.waits-for-itself")
def waits_for_itself(host: Host, live: Live) -> Iterator[Finding]:
    """No unit waits for ovs-vswitchd before it may start."""
    held = [command for unit, keys in HELD_BACK.items() for command in _commands(host, unit, keys)]
    held += [command for unit in _before_the_switch(host) for command in _commands(host, unit, ("ExecStart",))]
    waiting = [f"{each.file}: {each.line}" for each in held if waits(each.line)]
    if waiting:
        yield warning(
            "A command that runs before ovs-vswitchd waits for it: the start hangs until the unit's timeout.",
            "Add --no-wait to it: `ovs-vsctl --no-wait ...`.",
            *waiting,
        )
    else:
        yield ok("No unit of systemd waits for ovs-vswitchd before it may start.")


def waits(line: str) -> bool:
    """Whether a command line calls an ovs-vsctl that changes something and waits until that is done. Pure."""
    return any(_changes(found[1].split()) for found in _CALL.finditer(line))


def _changes(words: list[str]) -> bool:
    if "--no-wait" in words or not words:
        return False
    commands, skip, begins = [], False, True
    for word in words:
        if skip:
            skip = False
        elif word in _TAKES_A_WORD:
            skip = True
        elif word == "--":
            begins = True
        elif begins and not word.startswith("-"):
            commands.append(word)
            begins = False
    return any(each not in READING for each in commands)


def _commands(host: Host, unit: str, keys: tuple[str, ...]) -> list[Command]:
    found: dict[str, list[Command]] = {key: [] for key in keys}
    for file in _files(host, unit):
        for key, value in _settings(host, file):
            if key in found and value:
                found[key].append(Command(file, f"{key}={value}"))
            elif key in found:  # an empty one takes back what was there
                found[key].clear()
    return [command for each in found.values() for command in each]


def _files(host: Host, unit: str) -> Iterator[str]:
    whole = (f"{place}/{unit}" for place in PLACES)
    if (first := next((path for path in whole if host.exists(path)), None)) is not None:
        yield first
    for place in reversed(PLACES[:3]):
        yield from (f"{place}/{unit}.d/{name}" for name in host.names(f"{place}/{unit}.d") if name.endswith(".conf"))


def _settings(host: Host, file: str) -> list[tuple[str, str]]:
    text = (host.read(file) or "").replace("\\\n", " ")
    return [(key, value) for key, value in _SETTING.findall(text) if not key.startswith(("#", ";"))]


def _before_the_switch(host: Host) -> Iterator[str]:
    """Units of the administrator that ovs-vswitchd waits for."""
    for name in host.names(PLACES[0]):
        if name.endswith(".service") and name not in HELD_BACK:
            before = (value.split() for key, value in _settings(host, f"{PLACES[0]}/{name}") if key == "Before")
            if any(SWITCH in each for each in before):
                yield name

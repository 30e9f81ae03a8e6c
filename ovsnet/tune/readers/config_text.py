"""Configuration that will set knobs: an environment, values.yaml, a DaemonSet, Ansible variables, neutron's and
OVN-Kubernetes's files, scripts with ``ovs-vsctl set``. Pure.

No parser of YAML: what counts is a scalar beside a name that is known, which all these have in common. Where such a
name stands and its value cannot be made out, the reading says that, and so is not a clean bill.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.texts import whole_number
from ovsnet.tune.readers.commands import SWITCH, commands
from ovsnet.tune.readers.maps import maps
from ovsnet.tune.readers.reading import Reader, Reading
from ovsnet.tune.readers.variables import VARIABLES, Variable

_VALUE = r"""(?:"([^"\n]*)"|'([^'\n]*)'|([^\s,;}\]"']+))"""
_ASSIGNED = re.compile(
    rf"""["']?[ \t]*(?:=>|[:=]|[\s,]+["']?value["']?[ \t]*[:=])[ \t]*{_VALUE}"""
    rf"""|[ \t]+(?=\d){_VALUE}|["']?[ \t]*[:=][ \t]*(?=\n|$)"""
)
_LISTED = re.compile(rf"""["']?[ \t]*(?:,\s*|\n\s*-[ \t]+){_VALUE}""")
"""A flag and its value as two items of a list, as containers have their arguments."""
_STRUCTURE = re.compile(r"[{\[>|&*!]")
"""What a mapping, a list, a block, an anchor or a tag begins with, where it is not quoted (YAML 1.2, section 5.3)."""
_KEYED = re.compile(r"""["']?[ \t]*(?::|=>)""")
YAML_BOOLEANS = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""Words that YAML 1.1 takes for a boolean where they are not quoted; Helm and Ansible hand on what it is."""

_VALUE_FROM = re.compile(r"""["']?[\s,]+["']?valueFrom\b""")
_DEFAULT = re.compile(r":?[-=]([^}\n]*)\}")
SIGN = re.compile(r"\b(?:external[-_]ids|other[-_]config|options|inactivity[-_]probe)[:=]")
NEAR = 400
"""Characters of a line before a name that may say what it is."""

_PROBE = re.compile(
    r"""^[ \t-]*["']?([\w-]+[-_](?:probe[-_]interval|inactivity[-_]probe))["']?[ \t]*[:=][ \t]*["']?\d""", re.MULTILINE
)
"""Beside a number, what a name that is not known here calls itself."""

MAP = "a map of the row of Open_vSwitch"
COMMANDS = "commands of `ovs-vsctl` or `ovn-nbctl`"

_COMMENT = re.compile(r"(?:^|(?<=\s))#.*$", re.MULTILINE)
_EXPANDED = re.compile(r"\$|\{\{|<")
_OWN_DEFAULT = re.compile(r"\$\{\w+:?-(\d+)\}")


def _read(text: str) -> Reading | None:
    if not any(name in text for name in VARIABLES) and not SIGN.search(text):
        return None
    row, unread, text = maps(_COMMENT.sub("", text))
    tables, unclear = commands(text, row)
    unread = (*unread, *unclear)
    unread += tuple(f"{name}, a name that is not known here" for name in _strange_probes(text))
    values: dict[str, str] = {}
    notes: list[str] = []
    doubts: set[str] = set()
    owners: dict[str, list[str]] = {}
    unresolved: dict[str, tuple[str, ...]] = {}
    for name, variable in VARIABLES.items():
        if name not in text or variable.beside not in text:
            continue
        seen = list(dict.fromkeys(_values(text, name)))
        if not seen:
            continue
        known = [value for value in seen if value is not None]
        if not known:
            if variable.knobs:
                unresolved[name] = variable.knobs
            continue
        owners.setdefault(variable.of, []).append(name)
        if len(known) > 1 and not variable.note:
            unread = (*unread, f"{name}, which has several values here ({', '.join(known)})")
        elif known[0] == "":
            notes.append(f"{name} is empty.")
        elif variable.note:
            notes.append(f"{name} is {known[0]}: {variable.note}.")
        else:
            values |= {knob: _times(known[0], variable) for knob in variable.knobs}
            doubts.update(knob for knob in variable.knobs if variable.doubt)
    if not (owners or tables or unread or unresolved):
        return None
    what = [*(f"{owner} ({', '.join(names)})" for owner, names in owners.items())]
    what += [name for name, found in ((MAP, row), (COMMANDS, tables.keys() - ({SWITCH} if row else set()))) if found]
    return Reading(
        f"settings of {', '.join(what) or 'names that are known'}",
        tables,
        tuple(values.items()),
        notes=tuple(notes),
        unread=unread,
        unresolved=unresolved,
        partial=True,
        doubts=dict.fromkeys(doubts, VARIABLES["PROBE_INTERVAL"].doubt),
    )


def _times(text: str, variable: Variable) -> str:
    number = None if variable.times == 1 else whole_number(text)
    return text if number is None else str(number * variable.times)


def _values(text: str, name: str) -> Iterator[str | None]:
    """What each place that sets it says; None where that is not a literal."""
    for found in re.finditer(rf"(?<!\w)(?<!\w-){re.escape(name)}(?![\w-])", text):
        before = text[max(text.rfind("\n", 0, found.start()) + 1, found.start() - NEAR) : found.start()]
        if re.search(r"(?:ids|config|options):$", before):
            if _KEYED.match(text, found.end()) is not None:  # no command, but Puppet's vs_config
                yield None
            continue
        if before.endswith("${"):
            if (default := _DEFAULT.match(text, found.end())) is not None:
                yield None if _EXPANDED.search(default[1]) else default[1].strip("\"'")
            continue
        if before.endswith("$") or (name in ("inactivity-probe", "openflow-probe") and not _stands_alone(before)):
            continue
        if _VALUE_FROM.match(text, found.end()) is not None:
            yield None
        elif (option := _option(text, before, found.end())) is not None:
            yield option
        elif (assigned := _ASSIGNED.match(text, found.end())) is not None:
            value = next((group for group in assigned.groups() if group is not None), "")
            if assigned[3] is not None and text[found.end()] == ":":
                value = YAML_BOOLEANS.get(value.lower(), value)
            own = _OWN_DEFAULT.fullmatch(value)
            unclear = _EXPANDED.search(value) or (assigned[3] is not None and _STRUCTURE.match(value))
            yield own[1] if own else None if unclear else value
        elif before.endswith("--") and (listed := _LISTED.match(text, found.end())) is not None:
            value = next(group for group in listed.groups() if group is not None)
            yield value if value.isdecimal() else None


def _option(text: str, before: str, end: int) -> str | None:
    """The value of an option as ``juju config`` prints it: among its default, its type and what it is for."""
    if before.strip():
        return None
    deeper = rf"{before}[ \t]+"
    found = re.compile(rf":[ \t]*\n(?:{deeper}.*\n|[ \t]*\n)*?{deeper}value:[ \t]*{_VALUE}").match(text, end)
    return next((group for group in found.groups() if group is not None), None) if found else None


def _strange_probes(text: str) -> list[str]:
    """Probes that somebody sets by a name of their own: what they do to OVN is not judged, and so no clean bill."""
    return list(dict.fromkeys(name for name in _PROBE.findall(text) if name not in VARIABLES))


def _stands_alone(before: str) -> bool:
    """As a flag of ovnkube, or as a key of its file; ``ovn-sbctl`` has a flag of the same name."""
    return (before.endswith("--") and "ctl" not in before) or not before.strip()


READER = Reader("environments, values.yaml, DaemonSets, Ansible variables, scripts with `ovs-vsctl set`", _read)

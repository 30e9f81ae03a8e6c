"""Settings without a node: a saved ``ovs-vsctl list Open_vSwitch``, or the environment of Kube-OVN's scripts. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from ovsnet.errors import ConfigError
from ovsnet.node.version import Version, parse_version
from ovsnet.ovsdb.values import NO_UUID
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import ROOTS, Facts, FoundRow, facts_of_switch
from ovsnet.tune.knob import READERS, Product

KUBE_OVN = {
    "OVN_REMOTE_PROBE_INTERVAL": ("ovn-remote-probe-interval",),
    "OVN_REMOTE_OPENFLOW_INTERVAL": ("ovn-openflow-probe-interval",),
    "PROBE_INTERVAL": (
        "nb-inactivity-probe",
        "sb-inactivity-probe",
        "nb-options-inactivity-probe",
        "sb-options-inactivity-probe",
    ),
    "OVN_NORTHD_PROBE_INTERVAL": ("northd_probe_interval",),
}
"""What Kube-OVN's start-ovs.sh and start-db.sh make of their environment."""

_COLUMN = re.compile(r"^(\w+)\s*: (.*)$", re.MULTILINE)
_VARIABLE = re.compile(r"^\s*(?:export\s+)?(\w+)=(.*?)\s*$", re.MULTILINE)
_PAIR = re.compile(r'("(?:[^"\\]|\\.)*"|[^\s{},="]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s{},"]+)')


def facts_of_text(text: str, *, ovn: Version | None = None, ovs: Version | None = None) -> Facts:
    """Either of the two forms. ``ovn`` and ``ovs`` are the versions that run there, if known. Raises ConfigError."""
    columns = dict(_COLUMN.findall(text))
    if "external_ids" in columns or "other_config" in columns:
        return _of_list(columns, ovn, ovs)
    variables = {name: value.strip("\"'") for name, value in _VARIABLE.findall(text)}
    if KUBE_OVN.keys() & variables.keys():
        return facts_of_environment(variables, ovn=ovn, ovs=ovs)
    raise ConfigError(
        "This is no output of `ovs-vsctl list Open_vSwitch`, and no environment of Kube-OVN.",
        remedy=f"The environment has lines such as OVN_REMOTE_PROBE_INTERVAL=10000; known are {', '.join(KUBE_OVN)}.",
    )


def facts_of_environment(
    environ: Mapping[str, str], *, ovn: Version | None = None, ovs: Version | None = None
) -> Facts:
    """As Kube-OVN's scripts would write it."""
    named = [(name, environ[variable]) for variable, names in KUBE_OVN.items() if variable in environ for name in names]
    return _facts(named, ovn, ovs)


def facts_of_values(
    values: Iterable[tuple[str, str]], *, ovn: Version | None = None, ovs: Version | None = None
) -> Facts:
    """A node on which these knobs, and nothing else, are set."""
    return _facts(values, ovn, ovs)


def _of_list(columns: Mapping[str, str], ovn: Version | None, ovs: Version | None) -> Facts:
    maps = {name: _pairs(columns.get(name, "{}")) for name in ("external_ids", "other_config")}
    written = parse_version(columns.get("ovs_version", ""))
    return facts_of_switch(maps, _versions(ovn, ovs or written))


def _pairs(text: str) -> dict[str, str]:
    return {_unquoted(key): _unquoted(value) for key, value in _PAIR.findall(text)}


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(json.loads(text))
    except ValueError as error:
        raise ConfigError(f"{text} is no string as ovs-vsctl prints one.") from error


def _facts(values: Iterable[tuple[str, str]], ovn: Version | None, ovs: Version | None) -> Facts:
    tables: dict[tuple[str, str], dict[str, object]] = {}
    for name, text in values:
        place = KNOBS[name].place
        assert place is not None
        columns = tables.setdefault((place.database, place.table), {})
        if place.key:
            held = columns.setdefault(place.column, {})
            assert isinstance(held, dict)
            held[place.key] = text
        else:
            columns[place.column] = text
    return Facts(_versions(ovn, ovs), {where: (_row(where[1], columns),) for where, columns in tables.items()})


def _row(table: str, columns: Mapping[str, object]) -> FoundRow:
    return FoundRow(NO_UUID, "." if table in ROOTS else "every remote", columns)


def _versions(ovn: Version | None, ovs: Version | None) -> dict[str, Version]:
    known = {Product.OVN: ovn, Product.OVS: ovs}
    return {reader: version for reader, product in READERS.items() if (version := known[product]) is not None}

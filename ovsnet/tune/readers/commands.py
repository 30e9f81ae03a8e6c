"""``ovs-vsctl set Open_vSwitch . external_ids:KEY=VALUE`` and its like, in a script or a guide. Pure."""

from __future__ import annotations

import re

from ovsnet.tune.readers.reading import Tables

_PAIR = re.compile(
    r"""\b(external[-_]ids|other[-_]config|options):["']?([\w.:-]+?)["']?=(?:"([^"\n]*)"|'([^'\n]*)'|([^\s"';,)\\]*))"""
    r"""(?=([\w\["'$]?))"""
)
_PROBE = re.compile(
    r"""\b(ovs-vsctl|ovn-nbctl|ovn-sbctl)\b([^\n;|&]*?)\binactivity[-_]probe=["']?([^\s"';]+)["']?([^\n;|&]*)"""
)
_VERB = re.compile(r"\b(?:set|add|create)[\s'\",]+([A-Za-z_]+)", re.IGNORECASE)
_EXPANDED = re.compile(r"\$|\{\{|<")
_DEFAULT = re.compile(r"\$\{\w+:?-([^}$]*)\}")


SWITCH = ("Open_vSwitch", "Open_vSwitch")


def commands(text: str, row: dict[str, dict[str, str]]) -> tuple[Tables, tuple[str, ...]]:
    """What they set, beside a ``row`` of Open_vSwitch that is known, and what of it cannot be told."""
    text = re.sub(r"\\\n\s*", " ", text)
    tables: Tables = {SWITCH: [row]} if row else {}
    unread: dict[str, None] = {}
    for found in _PAIR.finditer(text):
        value = _literal(next((group for group in found.groups()[2:5] if group is not None), ""))
        # in a script the value may go on behind a quote: tcp:"$ADDRESS":6642
        if found[5] is not None and (found[6] or found[5].endswith(":")):
            value = _literal(f"{found[5]}$")
        column = found[1].replace("-", "_")
        where = _table(text[: found.start()].rpartition("\n")[2], column, found[2])
        if where is None:
            continue
        if value is None:
            unread[f"{column}:{found[2]}, whose value is not a literal here"] = None
            continue
        row = _one_row(tables, where)
        held = row.setdefault(column, {})
        if held.get(found[2], value) != value:
            unread[f"{column}:{found[2]}, which has several values here"] = None
        held[found[2]] = value
    for found in _PROBE.finditer(text):
        value, around = _literal(found[3]), f"{found[2]} {found[4]}"
        home = _row_with_target(found[1], around)
        if value is None or home is None:
            unread[f"inactivity_probe of {found[1]}, whose value or table is not clear"] = None
        else:
            tables.setdefault(home, []).append({"inactivity_probe": value, "target": _target(around)})
    return tables, tuple(unread)


def _one_row(tables: Tables, where: tuple[str, str]) -> dict[str, dict[str, str]]:
    rows = tables.setdefault(where, [{}])
    assert isinstance(rows[0], dict)
    return rows[0]


def _literal(text: str) -> str | None:
    text = text.strip("\"'")
    if (default := _DEFAULT.fullmatch(text)) is not None:
        return default[1]
    return None if _EXPANDED.search(text) else text


def _table(before: str, column: str, key: str) -> tuple[str, str] | None:
    verbs = _VERB.findall(before)
    table = verbs[-1].lower() if verbs else ""
    if column == "options":
        if "nbctl" in before or table.startswith("nb"):
            return ("OVN_Northbound", "NB_Global") if table.startswith("nb") or not table else None
        return ("OVN_Southbound", "SB_Global") if table.startswith("sb") else None
    if table.startswith("o") or (not table and key.startswith("ovn-")):
        return SWITCH
    return ("Open_vSwitch", "Bridge") if table.startswith("br") else None


def _row_with_target(program: str, around: str) -> tuple[str, str] | None:
    if program != "ovs-vsctl":
        return {"ovn-nbctl": "OVN_Northbound", "ovn-sbctl": "OVN_Southbound"}[program], "Connection"
    table = next((name for name in ("Manager", "Controller") if name.lower() in around.lower()), None)
    return ("Open_vSwitch", table) if table else None


def _target(around: str) -> str:
    found = re.search(r"\bp?(?:tcp|ssl|unix):\S+", around)
    return found[0] if found else ""

"""``get Open_vSwitch . external_ids`` and its like, of one column or one key of it: one answer, or a console with
several. Pure."""

from __future__ import annotations

import re

from ovsnet.errors import ConfigError
from ovsnet.tune.readers.commands import SWITCH
from ovsnet.tune.readers.reading import Reader, Reading, Tables
from ovsnet.tune.readers.values import printed, unquoted
from ovsnet.tune.readers.vsctl_list import OVN_KEYS, SWITCH_KEYS

_GET = re.compile(r"^.*\bget\s+(\S+)\s+\S+\s+(\w+)(?::(\S+))?\s*$", re.IGNORECASE)
_PROMPT = re.compile(r"(?:\[?[\w.-]+@[^#$]*)?[#$](?:\s.*)?")
"""A line of a shell: with a command that is not ``get``, or with none yet."""

_MAP = re.compile(r"""\{(?:"[^"{}:]*"|[\w.:/-]+)\s*=\s*["\w]""")
"""How a map with a pair begins, and no template, JSON or script does."""

NB_KEYS = re.compile(r"northd|use_logical_dp_groups|mac_prefix|svc_monitor|max_tunid")

NB_GLOBAL = ("OVN_Northbound", "NB_Global")


def _read(text: str) -> Reading | None:
    tables: Tables = {}
    columns: list[str] = []
    for asked, answer in _answers(text):
        key = asked[3] if asked is not None else None
        if asked is not None and key is not None:
            where, found = _table(asked[1]), {key: unquoted(answer)}
            home = None if where is None else (where, asked[2])
        elif not _MAP.match(answer):
            if answer in ("{}", ""):
                continue
            return None
        else:
            found = printed(answer)
            home = _home(found)
        if home is None:
            raise ConfigError(
                "This is one map, and none of its keys says which column it was.",
                remedy="Give `ovs-vsctl list Open_vSwitch` instead.",
            )
        where, column = home
        row = tables.setdefault(where, [{}])[0]
        assert isinstance(row, dict)
        row.setdefault(column, {}).update(found)
        columns.append(f"{where[1]}.{column}" + (f":{key}" if key else ""))
    if not tables:
        return None
    return Reading(f"`get` of {', '.join(dict.fromkeys(columns))}, and no other column", tables)


def _answers(text: str) -> list[tuple[re.Match[str] | None, str]]:
    """What was asked for, where the command is there, and what came."""
    found: list[tuple[re.Match[str] | None, str]] = []
    asked: re.Match[str] | None = None
    lines: list[str] = []
    for line in [*(line.strip() for line in text.splitlines()), "$"]:
        get = _GET.match(line)
        if get is not None or _PROMPT.fullmatch(line):
            if lines:
                found.append((asked, "".join(lines)))
            asked, lines = get, []
        else:
            lines += [line] if line else []
    return found


def _table(name: str) -> tuple[str, str] | None:
    """By the start of its name, as ovs-vsctl takes it (OVS lib/db-ctl-base.c, ``get_table``)."""
    short = name.lower().replace("-", "_")
    return next((each for each in (SWITCH, NB_GLOBAL) if short and each[1].lower().startswith(short)), None)


def _home(found: dict[str, str]) -> tuple[tuple[str, str], str] | None:
    if any(OVN_KEYS.match(key) for key in found):
        return SWITCH, "external_ids"
    if found.keys() & SWITCH_KEYS:
        return SWITCH, "other_config"
    if any(NB_KEYS.match(key) for key in found):
        return NB_GLOBAL, "options"
    return None


READER = Reader("`ovs-vsctl get Open_vSwitch . external_ids` (or other_config)", _read)

"""``get Open_vSwitch . external_ids`` and its like: one map. Pure."""

from __future__ import annotations

import re

from ovsnet.errors import ConfigError
from ovsnet.tune.readers.reading import Reader, Reading
from ovsnet.tune.readers.values import printed
from ovsnet.tune.readers.vsctl_list import OVN_KEYS, SWITCH_KEYS

_PROMPT = re.compile(r"^.*\bget\s+(\S+)\s+\S+\s+(\w+)\s*$", re.IGNORECASE)

_MAP = re.compile(r"""\{(?:"[^"{}:]*"|[\w.:/-]+)\s*=\s*["\w]""")
"""How a map with a pair begins, and no template, JSON or script does."""

NB_KEYS = re.compile(r"northd|use_logical_dp_groups|mac_prefix|svc_monitor|max_tunid")


def _read(text: str) -> Reading | None:
    lines = [line.strip() for line in text.strip().splitlines()]
    while lines and (not lines[0] or _PROMPT.match(lines[0]) or lines[0].startswith(("#", "$"))):
        lines.pop(0)
    joined = "".join(lines)
    if not _MAP.match(joined):
        return None
    found = printed(joined)
    where = _home(found)
    if where is None:
        raise ConfigError(
            "This is one map, and none of its keys says which column it was.",
            remedy="Give `ovs-vsctl list Open_vSwitch` instead.",
        )
    table, column = where
    database = {"NB_Global": "OVN_Northbound"}.get(table, table)
    return Reading(f"`get` of {table}.{column}, and no other column", {(database, table): [{column: found}]})


def _home(found: dict[str, str]) -> tuple[str, str] | None:
    if any(OVN_KEYS.match(key) for key in found):
        return "Open_vSwitch", "external_ids"
    if found.keys() & SWITCH_KEYS:
        return "Open_vSwitch", "other_config"
    if any(NB_KEYS.match(key) for key in found):
        return "NB_Global", "options"
    return None


READER = Reader("`ovs-vsctl get Open_vSwitch . external_ids` (or other_config)", _read)

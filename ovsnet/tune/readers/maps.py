"""``external_ids`` and ``other_config`` as a map in any text: a bug report, a table of Markdown, YAML, Ansible's facts.
Pure.

Only maps that hold a key of the row of Open_vSwitch are of interest: every table has these two columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from ovsnet.errors import ConfigError
from ovsnet.protocol.jsonrpc import BAD_JSON
from ovsnet.tune.readers.values import of_json, printed, texts
from ovsnet.tune.readers.vsctl_list import OVN_KEYS, SWITCH_KEYS

_NAME = re.compile(r"""(?<![\w-])["']?(external[-_]ids|other[-_]config)["']?[ \t]*[:=|]?[ \t]*(?=([{\n]))""")
_SCALAR = re.compile(r"""([ \t]+)["']?([\w.:-]+)["']?:[ \t]+(?:"([^"]*)"|'([^']*)'|([^\s"'\[{][^\n]*?))[ \t]*""")
LONGEST = 1 << 16
"""Characters of one map, so that a text of brackets alone costs little."""

_EXPANDED = re.compile(r"\$|\{\{|<")


def maps(text: str) -> tuple[dict[str, dict[str, str]], tuple[str, ...], str]:
    """The row of Open_vSwitch that they make, what of it cannot be made out, and ``text`` without them."""
    row: dict[str, dict[str, str]] = {}
    unread: dict[str, None] = {}
    rest, at = [], 0
    for name in _NAME.finditer(text):
        if name.start() < at:
            continue
        column = name[1].replace("-", "_")
        end = _end_of_braces(text, name.end()) if name[2] == "{" else _end_of_block(text, name)
        said = text[name.end() : end]
        if not said.strip() or not _is_of_the_switch(said):
            continue
        rest.append(text[at : name.start()])
        at = end
        try:
            found = _pairs(said)
        except ConfigError:
            unread[f"{column}, which is not a map as OVS, JSON or YAML writes one"] = None
            continue
        held = row.setdefault(column, {})
        for key, value in found.items():
            if _EXPANDED.search(value):
                unread[f"{column}:{key}, whose value is not a literal here"] = None
            elif held.setdefault(key, value) != value:
                unread[f"{column}:{key}, which has several values here"] = None
    return row, tuple(unread), "".join([*rest, text[at:]])


def _end_of_braces(text: str, start: int) -> int:
    depth, quote, at = 0, "", start
    while at < min(len(text), start + LONGEST):
        sign = text[at]
        if quote:
            at += sign == "\\"
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        else:
            depth += (sign == "{") - (sign == "}")
            if depth == 0:
                return at + 1
        at += 1
    return at


def _end_of_block(text: str, name: re.Match[str]) -> int:
    """Lines that are further in than the line of the name."""
    line = text[text.rfind("\n", 0, name.start()) + 1 : name.start()]
    margin, at = len(line) - len(line.lstrip(" -")), name.end() + 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        inside = text[at:end]
        if inside.strip() and len(inside) - len(inside.lstrip()) <= margin:
            return at
        at = end + 1
    return len(text)


def _is_of_the_switch(said: str) -> bool:
    return any(OVN_KEYS.match(key) or key in SWITCH_KEYS for key in re.findall(r"[a-z][\w-]+", said))


def _pairs(said: str) -> Mapping[str, str]:
    said = said.strip()
    if not said.startswith("{"):
        lines = [line for line in said.splitlines() if line.strip()]
        scalars = [_SCALAR.fullmatch(f" {line.strip()}") for line in lines]
        if None in scalars:
            raise ConfigError("These lines are not plain pairs of YAML.")
        return {each[2]: next(group for group in each.groups()[2:] if group is not None) for each in scalars if each}
    try:
        found = msgspec.json.decode(said)
    except BAD_JSON:
        found = printed(said)
    return {key: str(value) for key, value in texts({key: of_json(value) for key, value in found.items()}).items()}

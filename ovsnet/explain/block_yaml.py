"""YAML as Kubernetes writes it: blocks of mappings and lists, and plain or quoted scalars on one line. Pure.

``oc adm must-gather`` and ``kubectl get -o yaml`` keep pods and events so (sigs.k8s.io/yaml). Of texts that go over
several lines the first line is kept, which is enough to know what happened; anchors and flows are not written.
"""

from __future__ import annotations

import json

DEEPEST = 40
"""Levels of a pod are 12."""
Row = tuple[int, str]
"""How far a line is indented, and what it says."""


def documents(text: str) -> list[object]:
    """Each document of ``text``; of one that is damaged what could be read."""
    found: list[object] = []
    rows: list[Row] = []
    for line in text.splitlines():
        if line.startswith("---"):
            found.append(_block(rows, 0, 0)[0])
            rows = []
        elif line.strip() and not line.lstrip().startswith("#"):
            rows.append((len(line) - len(line.lstrip(" ")), line.strip()))
    found.append(_block(rows, 0, 0)[0])
    return [each for each in found if each]


def _block(rows: list[Row], at: int, depth: int) -> tuple[object, int]:
    """What begins at row ``at``, and the row after it."""
    if at >= len(rows) or depth > DEEPEST:
        return None, len(rows)
    return _items(rows, at, depth) if rows[at][1].startswith(("- ", "-")) else _mapping(rows, at, depth)


def _items(rows: list[Row], at: int, depth: int) -> tuple[list[object], int]:
    """A list, whose items may be mappings that begin on the line of their dash."""
    indent, found = rows[at][0], list[object]()
    while at < len(rows) and rows[at][0] == indent and rows[at][1].startswith("-"):
        rest = rows[at][1][1:].strip()
        if _key(rest) is None:
            found.append(_scalar(rest))
            at = _skip(rows, at + 1, indent)
        else:
            rows[at] = (indent + 2, rest)
            value, at = _mapping(rows, at, depth + 1)
            found.append(value)
    return found, at


def _mapping(rows: list[Row], at: int, depth: int) -> tuple[dict[str, object], int]:
    indent, found = rows[at][0], dict[str, object]()
    while at < len(rows) and rows[at][0] == indent and (pair := _key(rows[at][1])) is not None:
        key, value = pair
        at += 1
        deeper = at < len(rows) and (rows[at][0] > indent or (rows[at][0] == indent and rows[at][1].startswith("-")))
        if not value and deeper:
            found[key], at = _block(rows, at, depth + 1)
        else:
            found[key] = _scalar(value)
        at = _skip(rows, at, indent)
    return found, at


def _skip(rows: list[Row], at: int, indent: int) -> int:
    """Past the further lines of a text."""
    while at < len(rows) and rows[at][0] > indent:
        at += 1
    return at


def _key(text: str) -> tuple[str, str] | None:
    if text.endswith(":"):
        key, value = text[:-1], ""
    else:
        key, colon, value = text.partition(": ")
        if not colon:
            return None
    key = key.strip('"')
    return (key, value.strip()) if key and not any(each in key for each in " '{[") else None


def _scalar(text: str) -> object:
    if text[:1] == '"':
        try:
            return json.loads(text)
        except ValueError:
            return text.strip('"')
    if text[:1] == "'":
        return text.strip("'").replace("''", "'")
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 10 else text

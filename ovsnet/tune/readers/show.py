"""``ovs-vsctl show``: it names no setting, and may not pass for an answer. Pure."""

from __future__ import annotations

import re

from ovsnet.node.version import parse_version
from ovsnet.tune.readers.reading import Reader, Reading

_SHAPE = re.compile(
    r"^[ \t]*[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\n[ \t]+(?:Bridge|Manager|ovs_version)\b", re.MULTILINE
)
_VERSION = re.compile(r'^\s+ovs_version: "?([\d.]+)', re.MULTILINE)


def _read(text: str) -> Reading | None:
    if not _SHAPE.search(text):
        return None
    version = _VERSION.search(text)
    found = parse_version(version[1]) if version else None
    return Reading(
        "`ovs-vsctl show`, which prints no setting: give `ovs-vsctl list Open_vSwitch`",
        versions={"ovs-vswitchd": found} if found else {},
    )


READER = Reader("`ovs-vsctl show`, for the version alone", _read)

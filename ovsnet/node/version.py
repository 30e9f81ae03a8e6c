"""Version numbers that compare: of kernels, of Open vSwitch, of OVN, of Kube-OVN."""

from __future__ import annotations

import re

Version = tuple[int, ...]

FIRST_YEAR = 20
"""OVN's first version of its own was 20.03; no kernel and no Open vSwitch has come so far."""

_NUMBERS = re.compile(r"(?<!\d)\d{1,20}(?:[.-]\d{1,20})+(?!\d)")


def parse_version(text: str) -> Version | None:
    """The first version in a text, a build number included: ``3.10.0-862.el7`` is (3, 10, 0, 862)."""
    found = _NUMBERS.search(text)
    return tuple(int(part) for part in re.split(r"[.-]", found.group())) if found else None


def reached(version: Version, first: Version | None) -> bool | None:
    """Whether ``version`` is ``first`` or later; None when only a part of its number is known, and the rest decides."""
    if first is None:
        return False
    if len(version) < len(first) and version == first[: len(version)] and any(first[len(version) :]):
        return None
    return version >= first


def shown(version: Version) -> str:
    """The way people write it: OVN counts by year and month (``24.03``)."""
    if version[0] >= FIRST_YEAR and len(version) > 1:
        return ".".join((str(version[0]), f"{version[1]:02}", *map(str, version[2:])))
    return ".".join(map(str, version[:3])) + "".join(f"-{part}" for part in version[3:4])

"""The pins of constraints.txt, and which of them a package needs on a given Python."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SOURCE = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Pin:
    """One entry: a package in one version, and the SHA-256 of each file of it that may be installed."""

    name: str
    version: str
    hashes: tuple[str, ...]
    text: str
    """The entry as it is in the file, with its marker and hashes."""


def pins(file: str = "constraints.txt") -> dict[str, Pin]:
    """Pin by normalised name, in the order of the file."""
    entries = re.split(r"\n(?=\S)", (SOURCE / file).read_text().strip())
    return {pin.name: pin for pin in map(_pin, entries)}


def needed(package: str, python: str) -> set[str]:
    """The transitive dependencies of a package on that Python (``3.11``), from the metadata of installed packages."""
    found: set[str] = set()
    queue = [package]
    while queue:
        for name in requires(queue.pop(), python):
            if name not in found:
                found.add(name)
                queue.append(name)
    return found


def requires(package: str, python: str) -> list[str]:
    """The direct dependencies of a package, without its extras."""
    there = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    named = [Requirement(line) for line in metadata.requires(package) or ()]
    return [normal(each.name) for each in named if each.marker is None or each.marker.evaluate(there)]


def normal(name: str) -> str:
    """PEP 503: names differ neither by case nor by which of ``-_.`` separates the words."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pin(entry: str) -> Pin:
    name, _, rest = entry.partition("==")
    version = re.match(r"[^\s;\\]+", rest)
    assert version is not None, entry
    return Pin(normal(name), version[0], tuple(re.findall(r"sha256:([0-9a-f]{64})", rest)), entry)

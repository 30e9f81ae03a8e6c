"""The pins of constraints.txt, and which of them a package needs on a Python."""

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
    """As it is in the file, with its marker and hashes."""


def pins(file: str = "constraints.txt") -> dict[str, Pin]:
    """Pin by normalised name, in the order of the file."""
    entries = re.split(r"\n(?=\S)", (SOURCE / file).read_text().strip())
    return {pin.name: pin for pin in map(_pin, entries)}


def needed(package: str, python: str) -> set[str]:
    """What a package needs to run on that Python (``3.11``), and what those need in turn, by what is installed here."""
    found: set[str] = set()
    queue = [package]
    while queue:
        for name in requires(queue.pop(), python):
            if name not in found:
                found.add(name)
                queue.append(name)
    return found


def requires(package: str, python: str) -> list[str]:
    """What a package itself names, without its extras."""
    there = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    named = [Requirement(line) for line in metadata.requires(package) or ()]
    return [normal(each.name) for each in named if each.marker is None or each.marker.evaluate(there)]


def normal(name: str) -> str:
    """PEP 503: case, and which of ``-_.`` divides the words, do not count."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pin(entry: str) -> Pin:
    name, _, rest = entry.partition("==")
    version = re.match(r"[^\s;\\]+", rest)
    assert version is not None, entry
    return Pin(normal(name), version[0], tuple(re.findall(r"sha256:([0-9a-f]{64})", rest)), entry)

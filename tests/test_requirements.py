"""requirements.txt is what the agent needs to run, in the very versions of constraints.txt."""

from __future__ import annotations

import re

from tests.system.wheels import SOURCE, needed


def entries(name: str) -> dict[str, str]:
    """Text by package, without the markers: they tell for which Python somebody needs it."""
    text = re.sub(r" ; .* (?=\\)", " ", (SOURCE / name).read_text())
    return {entry.partition("==")[0]: entry for entry in re.split(r"\n(?=\S)", text.strip())}


def test_every_entry_is_that_of_the_constraints() -> None:
    pinned = entries("constraints.txt")
    assert {name: pinned.get(name) for name in entries("requirements.txt")} == entries("requirements.txt")


def test_nothing_is_lacking_or_too_much() -> None:
    assert entries("requirements.txt").keys() == needed("ovsnet", "3.11")

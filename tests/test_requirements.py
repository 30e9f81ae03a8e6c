"""What the agent needs to run, and what its image is built by, in the very versions of constraints.txt."""

from __future__ import annotations

import re

import pytest

from release.pins import SOURCE, needed


def entries(name: str) -> dict[str, str]:
    """Text by package, without the markers: they tell for which Python somebody needs it."""
    text = re.sub(r" ; .* (?=\\)", " ", (SOURCE / name).read_text())
    return {entry.partition("==")[0]: entry for entry in re.split(r"\n(?=\S)", text.strip())}


@pytest.mark.parametrize("file", ["requirements.txt", "build-requirements.txt"])
def test_every_entry_is_that_of_the_constraints(file: str) -> None:
    pinned = entries("constraints.txt")
    assert {name: pinned.get(name) for name in entries(file)} == entries(file)


def test_nothing_that_builds_the_image_is_fetched_unpinned() -> None:
    """setuptools builds ``ovs``, which has no wheel."""
    assert entries("build-requirements.txt").keys() == {"hatchling", "setuptools"} | needed("hatchling", "3.11")
    text = re.sub(r"#.*", "", (SOURCE / "Containerfile").read_text())
    for line in re.findall(r"pip (?:install|wheel|--python \S+ install) .*", text):
        assert "--require-hashes" in line or "--no-deps" in line
        assert " /source" not in line or "--no-build-isolation" in line or "-r /source" in line


def test_nothing_is_lacking_or_too_much() -> None:
    assert entries("requirements.txt").keys() == needed("ovsnet", "3.11")

"""The generations of Open vSwitch and OVN on which figures are made: what is installed, and suites of Debian."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ovsnet.sandbox.suite import programs

INSTALLED = "installed"
"""What a sandbox takes by itself."""

SUITES = (INSTALLED, "trixie", "sid")

RESULTS = Path(__file__).parent / "results"


@contextmanager
def on_suite(suite: str) -> Iterator[None]:
    """While it lasts, sandboxes run the programs of ``suite``. Raises UnfitEnvironment."""
    before = os.environ.get("PATH", os.defpath)
    if suite != INSTALLED:
        os.environ["PATH"] = f"{programs(suite)}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


def with_suite(name: str, suite: str) -> str:
    """The name of a file that holds what was found on ``suite``."""
    return name if suite == INSTALLED else f"{name}-{suite}"


_NUMBER = re.compile(r"\d+(?:\.\d+)+")


def generation(versions: Mapping[str, str]) -> str:
    """``Open vSwitch 3.1.0, OVN 23.03.1``, by what the programs say of themselves."""
    ovs = versions.get("ovs-vswitchd", "")
    ovn = versions.get("ovn-controller") or versions.get("ovn-northd", "")
    named = (("Open vSwitch", _NUMBER.search(ovs)), ("OVN", _NUMBER.search(ovn)))
    return ", ".join(f"{name} {found[0]}" for name, found in named if found) or "versions not recorded"

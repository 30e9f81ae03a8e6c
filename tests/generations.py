"""Which Open vSwitch and OVN the tests run on."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from ovsnet.sandbox import binaries


def versions() -> str:
    """``Open vSwitch 3.1.0, OVN 23.03.1``: what PATH leads to."""
    found = binaries.find()
    return ", ".join(_version(str(found.path(name)), found) for name in ("ovs-vswitchd", "ovn-controller"))


def _version(program: str, found: binaries.Binaries) -> str:
    words: Sequence[str] = [program, "--version"]
    out = subprocess.run(words, capture_output=True, text=True, env=os.environ | found.environment(), check=True).stdout
    name = "Open vSwitch" if "vswitchd" in out.partition("\n")[0] else "OVN"
    return f"{name} {out.partition(chr(10))[0].rpartition(' ')[2]}"

"""Run a tool of the distribution: apt-get, dpkg-deb."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence

from ovsnet.errors import UnfitEnvironment

TIMEOUT = 300.0
"""Seconds for one call: a slow mirror is normal, a dead one must not hang."""


def call(argv: Sequence[str], *, remedy: str) -> None:
    """Raises UnfitEnvironment, with what the tool says, when it fails or does not end."""
    environment = os.environ | {"LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise UnfitEnvironment(f"{argv[0]} did not end within {TIMEOUT:.0f} s.", remedy=remedy) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()[-1:]
        raise UnfitEnvironment(f"{argv[0]} failed: {' '.join(lines)}", remedy=remedy)

"""Run a tool of the distribution: apt-get, dpkg-deb."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from ovsnet.errors import UnfitEnvironment

TIMEOUT = 300.0
"""Seconds for one call: a slow mirror is normal, a dead one must not hang."""


def call(argv: Sequence[str], *, remedy: str, environment: Mapping[str, str] = MappingProxyType({})) -> None:
    """Raises UnfitEnvironment, with what the tool says, when it is not there, fails or does not end."""
    variables = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive", **environment}
    try:
        done = subprocess.run(
            argv, env=variables, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT
        )
    except FileNotFoundError as error:
        raise UnfitEnvironment(f"{argv[0]} cannot be found.", remedy=remedy) from error
    except subprocess.TimeoutExpired as error:
        raise UnfitEnvironment(f"{argv[0]} did not end within {TIMEOUT:.0f} s.", remedy=remedy) from error
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("E:")] or done.stderr.splitlines()[-1:]
        raise UnfitEnvironment(f"{argv[0]} failed: {' '.join(lines)}", remedy=remedy)

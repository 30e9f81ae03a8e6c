"""Python libraries to compare with, each in a virtual environment of its own in the user's cache.

They are not dependencies: nothing of ovsnet imports them, and no constraint names them. A lap that uses one imports the
standard library besides, and runs on ``interpreter(PEER)``.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox.packages import default_cache

INSTALL_TIMEOUT = 300.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A library as pip installs it, at the version that was last compared."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


OS_KEN = Peer("os-ken", "4.2.2")
OVSDBAPP = Peer("ovsdbapp", "3.0.0")


def interpreter(peer: Peer, cache: Path | None = None) -> Path:
    """The Python that has this library; the first call on a machine installs it, which takes some ten seconds.

    Raises UnfitEnvironment when pip cannot. The environment appears complete or not at all.
    """
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    place = (cache or default_cache()) / "peers" / f"{peer.name}-{peer.version}-{python}"
    done = place / ".complete"
    if not done.exists():
        shutil.rmtree(place, ignore_errors=True)
        _run(sys.executable, "-m", "venv", str(place))
        _run(
            str(place / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", f"{peer.name}=={peer.version}"
        )
        done.touch()
    return place / "bin/python"


def _run(*command: str) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_TIMEOUT)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise UnfitEnvironment(
            f"{' '.join(command[:3])} failed: {str(said).strip()[-400:]}", remedy="A peer is fetched by pip."
        ) from error

"""Wheel and source archive: the same bytes for the same commit, wherever and whenever they are built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.pins import SOURCE


def epoch(source: Path = SOURCE) -> int:
    """The time of everything in a release: that of the commit, or ``SOURCE_DATE_EPOCH`` where it is set.

    https://reproducible-builds.org/specs/source-date-epoch/
    """
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(said)
    shown = ["git", "-C", str(source), "log", "-1", "--format=%ct"]
    return int(subprocess.run(shown, capture_output=True, text=True, check=True).stdout)


def snapshot(target: Path, source: Path = SOURCE) -> Path:
    """A copy of the files that git knows, as they are now: what else lies there gets into no archive."""
    listed = subprocess.run(["git", "-C", str(source), "ls-files", "-z"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        if name and (source / name).is_file():
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy)
            copy.chmod(0o755 if os.access(source / name, os.X_OK) else 0o644)
    return target


def build(out: Path, source: Path = SOURCE) -> list[Path]:
    """Wheel and source archive in ``out``, by the pinned hatchling, which heeds ``SOURCE_DATE_EPOCH``."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        copy = snapshot(Path(place, "source"), source)
        argv = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(out.absolute())]
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch(source))}
        subprocess.run(argv, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
    return [next(out.glob("ovsnet-*.whl")), next(out.glob("ovsnet-*.tar.gz"))]

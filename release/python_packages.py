"""Wheel and source archive, reproducible: the same commit gives the same bytes."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from release.pins import SOURCE


def epoch(source: Path = SOURCE) -> int:
    """The timestamp of everything in a release: that of the commit, or ``SOURCE_DATE_EPOCH`` if set.

    https://reproducible-builds.org/specs/source-date-epoch/
    """
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        return int(said)
    shown = ["git", "-C", str(source), "log", "-1", "--format=%ct"]
    return int(subprocess.run(shown, capture_output=True, text=True, check=True).stdout)


def snapshot(target: Path, source: Path = SOURCE) -> Path:
    """Copy the files that git tracks, in their current state: untracked files must not get into an archive."""
    listed = subprocess.run(["git", "-C", str(source), "ls-files", "-z"], capture_output=True, text=True, check=True)
    for name in listed.stdout.split("\0"):
        if name and (source / name).is_file():
            copy = target / name
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, copy)
            copy.chmod(0o755 if os.access(source / name, os.X_OK) else 0o644)
    return target


def build(out: Path, source: Path = SOURCE) -> list[Path]:
    """Build wheel and source archive in ``out`` with the pinned hatchling, which honours ``SOURCE_DATE_EPOCH``."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        copy = snapshot(Path(place, "source"), source)
        argv = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", str(out.absolute())]
        environment = os.environ | {"SOURCE_DATE_EPOCH": str(epoch(source))}
        subprocess.run(argv, cwd=copy, env=environment, check=True, stdout=subprocess.DEVNULL)
    return [next(out.glob("ovsnet-*.whl")), next(out.glob("ovsnet-*.tar.gz"))]

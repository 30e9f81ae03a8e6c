"""ovsnet and all it needs as wheels, for another Python or machine too: what is installed where no network is."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from release.pins import SOURCE, Pin, needed, pins

MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")

WITHOUT_WHEEL = "ovs"
"""The project of OVS publishes no wheel of its client library. It is pure Python, so one that is built here will do."""


def wheelhouse(directory: Path, python: str, machine: str = platform.machine()) -> Path:
    """A directory of wheels for a CPython of that version (``3.11``): each is a file that requirements.txt pins."""
    pinned = pins("requirements.txt")
    wanted = [pinned[name] for name in sorted(needed("ovsnet", python))]
    downloaded = [pin for pin in wanted if pin.name != WITHOUT_WHEEL]
    _download(directory, downloaded, python, machine)
    built = [pin for pin in wanted if pin.name == WITHOUT_WHEEL]
    # The setuptools of constraints.txt builds it: an isolated build would fetch whatever is the newest.
    _pip_of_pins("wheel", built, "--no-build-isolation", "--use-pep517", "--no-cache-dir", f"--wheel-dir={directory}")
    return directory


def builders(directory: Path, python: str, machine: str = platform.machine()) -> Path:
    """The same of what builds ovsnet out of its source archive: build-requirements.txt."""
    _download(directory, pins("build-requirements.txt").values(), python, machine)
    return directory


def ours(directory: Path) -> Path:
    """A wheel of the source tree as it is."""
    _pip("wheel", "--no-build-isolation", "--no-deps", f"--wheel-dir={directory}", str(SOURCE))
    return next(directory.glob("ovsnet-*.whl"))


def _download(directory: Path, chosen: Iterable[Pin], python: str, machine: str) -> None:
    target = [f"--platform={tag}_{machine}" for tag in MANYLINUX] + ["--platform=any"]
    target += [f"--python-version={python}", "--implementation=cp"]
    target += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    _pip_of_pins("download", chosen, "--only-binary=:all:", *target, f"--dest={directory}")


def _pip_of_pins(command: str, chosen: Iterable[Pin], *arguments: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(pin.text for pin in chosen))
        file.flush()
        # A later wheel of the same source must be the same file.
        _pip(command, "--require-hashes", "--no-deps", f"--requirement={file.name}", *arguments,
             environment={"SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "315532800")})  # fmt: skip


def _pip(command: str, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
    argv = [sys.executable, "-m", "pip", command, "-qq", *arguments]
    subprocess.run(argv, check=True, env=os.environ | (environment or {}))

"""The dependencies of ovsnet as wheels, for any supported Python and machine, for installation without a network."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from release.pins import SOURCE, Pin, needed, pins

MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")

WITHOUT_WHEEL = "ovs"
"""The OVS project publishes its Python library as a source archive only. It is built here without its optional C
extension, so the wheel fits every Python and machine."""


def wheelhouse(directory: Path, python: str, machine: str = platform.machine()) -> Path:
    """Fill ``directory`` with the wheels for CPython of that version (``3.11``): requirements.txt pins each of them."""
    pinned = pins("requirements.txt")
    wanted = [pinned[name] for name in sorted(needed("ovsnet", python))]
    downloaded = [pin for pin in wanted if pin.name != WITHOUT_WHEEL]
    _download(directory, downloaded, python, machine)
    built = [pin for pin in wanted if pin.name == WITHOUT_WHEEL]
    # With the setuptools of constraints.txt: an isolated build would fetch the newest one.
    _pip_of_pins("wheel", built, "--no-build-isolation", "--use-pep517", "--no-cache-dir", f"--wheel-dir={directory}")
    return directory


def builders(directory: Path, python: str, machine: str = platform.machine()) -> Path:
    """Fill ``directory`` with the wheels that build ovsnet from its source archive: build-requirements.txt."""
    _download(directory, pins("build-requirements.txt").values(), python, machine)
    return directory


def ours(directory: Path) -> Path:
    """Build a wheel of the source tree in its current state."""
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
        _pip(command, "--require-hashes", "--no-deps", f"--requirement={file.name}", *arguments)


def _pip(command: str, *arguments: str) -> None:
    # A fixed timestamp and umask, for reproducible wheels. No C compiler: where the headers of OVS are installed, `ovs`
    # would build an extension module, for this Python only. It works without.
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800", "CC": "false"}
    subprocess.run([sys.executable, "-m", "pip", command, "-qq", *arguments], check=True, env=environment, umask=0o022)

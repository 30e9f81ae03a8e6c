"""The agent and all it needs as wheels for another Python, so that no machine under test needs a network."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

SOURCE = Path(__file__).parents[2]


def wheelhouse(directory: Path, python: str) -> Path:
    """A directory of wheels for a CPython of that version (``3.11``), in the versions that constraints.txt pins."""
    pins = pinned()
    wanted = sorted(pins[name] for name in needed("ovsnet", python))
    # The project of OVS ships no wheel of its client library; it is pure Python, so ours will do.
    without_wheel = [each for each in wanted if each.startswith("ovs==")]
    machine = platform.machine()
    tags = [f"{kind}_{machine}" for kind in ("manylinux_2_28", "manylinux_2_17", "manylinux2014")]
    target = [f"--platform={tag}" for tag in (*tags, "any")]
    target += [f"--python-version={python}", "--implementation=cp"]
    target += [f"--abi={abi}" for abi in (f"cp{python.replace('.', '')}", "abi3", "none")]
    others = [each for each in wanted if each not in without_wheel]
    _pip("download", "--only-binary=:all:", *target, f"--dest={directory}", *others)
    _pip("wheel", f"--wheel-dir={directory}", *without_wheel)
    return directory


def ours(directory: Path) -> Path:
    """A wheel of the source tree as it is."""
    _pip("wheel", "--no-build-isolation", f"--wheel-dir={directory}", str(SOURCE))
    return next(directory.glob("ovsnet-*.whl"))


def pinned() -> dict[str, str]:
    """``name==version`` of each package in constraints.txt."""
    text = (SOURCE / "constraints.txt").read_text()
    return {_normal(name): f"{name}=={version}" for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.M)}


def needed(package: str, python: str) -> set[str]:
    """What a package needs to run on that Python, and what those need in turn."""
    found: set[str] = set()
    queue = [package]
    while queue:
        for line in metadata.requires(queue.pop()) or ():
            requirement = Requirement(line)
            there = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
            name = _normal(requirement.name)
            if name not in found and (requirement.marker is None or requirement.marker.evaluate(there)):
                found.add(name)
                queue.append(name)
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _pip(command: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", command, "--quiet", "--no-deps", *arguments], check=True)

"""A small Debian with systemd, Open vSwitch and OVN from its own packages: made once, kept in the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from ovsnet.sandbox import binaries
from ovsnet.sandbox.packages import default_cache
from release.pins import SOURCE
from release.wheelhouse import wheelhouse

RELEASE = "bookworm"
PYTHON = "3.11"
"""Of that release."""

FOR_A_NODE = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "python3",
    "python3-venv",
    "openvswitch-switch",
    "ovn-central",
    "ovn-host",
)
FOR_A_CONTAINER = ("python3", "python3-venv")

HOME = "/opt/ovsnet"
"""Where ovsnet is in the node's image."""


def node_image() -> Path:
    """The directory of an image of a node, with all that ovsnet needs in a venv at ``HOME``, but without ovsnet."""
    pins = hashlib.sha256((SOURCE / "constraints.txt").read_bytes()).hexdigest()[:12]
    return once(f"node-{RELEASE}-{pins}", _make_node)


def container_base() -> Path:
    """The directory of an image that holds Python and nothing that compiles."""
    return once(f"base-{RELEASE}", lambda target: _debootstrap(target, FOR_A_CONTAINER))


def _make_node(target: Path) -> None:
    _debootstrap(target, FOR_A_NODE)
    wheelhouse(target / "wheels", PYTHON)
    _in(target, "python3", "-m", "venv", HOME)
    wheels = [f"/wheels/{wheel.name}" for wheel in (target / "wheels").iterdir()]
    _in(target, f"{HOME}/bin/pip", "install", "--quiet", "--no-index", "--no-deps", *wheels)


def _debootstrap(target: Path, packages: tuple[str, ...]) -> None:
    tool = binaries.fetch_packages(["debootstrap"])
    places = {"DEBOOTSTRAP_DIR": f"{tool.source}/usr/share/debootstrap"}
    argv = [str(tool.path("debootstrap")), "--variant=minbase", f"--include={','.join(packages)}", RELEASE, str(target)]
    done = subprocess.run(argv, env=os.environ | places, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    shutil.rmtree(target / "var/cache/apt/archives")


def _in(root: Path, *argv: str) -> None:
    subprocess.run(["chroot", str(root), *argv], check=True, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def once(name: str, make: Callable[[Path], None]) -> Path:
    """The directory of that name in the cache; it appears complete or not at all."""
    shelf = default_cache() / "images"
    shelf.mkdir(parents=True, exist_ok=True)
    target = shelf / name
    with (shelf / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=shelf, ignore_cleanup_errors=True) as build:
                root = Path(build, "root")
                root.mkdir()
                make(root)
                root.chmod(0o755)
                root.rename(target)
    return target

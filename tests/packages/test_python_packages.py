"""Wheel and source archive on a machine that has a Python with venv, and nothing else: no compiler, no network."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from release.wheelhouse import builders, wheelhouse
from tests.system.image import PYTHON, container_base
from tests.system.machine import Machine, mount

OVSNET = "/venv/bin/ovsnet"


@pytest.fixture
def machine(node: Sandbox) -> Iterator[Machine]:
    """The daemons of the node run beside it, and their sockets are in it."""
    with Machine(container_base()) as machine:
        mount("-t", "proc", "proc", machine.root / "proc")
        sockets = machine.root / str(node.rundir).lstrip("/")
        sockets.mkdir(parents=True)
        mount("--bind", node.rundir, sockets)
        machine.chroot("python3", "-m", "venv", "/venv")
        yield machine


def install(machine: Machine, wanted: str, files: Sequence[Path]) -> None:
    """With pip, from these files alone."""
    (machine.root / "files").mkdir()
    for file in files:
        shutil.copy(file, machine.root / "files")
    found = ("--no-index", "--find-links=/files")
    machine.chroot("unshare", "--net", "--", "/venv/bin/pip", "install", "--quiet", *found, wanted)


async def judges(machine: Machine, node: Sandbox) -> None:
    """Its main job: the node's health, and what is wrong."""
    words = (OVSNET, "check", "--json", f"--rundir={node.rundir}", f"--ovn-rundir={node.rundir}")
    document = json.loads(machine.chroot(*words))
    assert (document["state"], document["diagnosis"]["code"]) == ("ready", "healthy")
    await node.freeze("ovs-vswitchd")
    document = json.loads(machine.chroot(*words, check=False))
    assert document["diagnosis"]["code"].startswith("vswitchd-")


async def test_wheel_does_its_job_once_installed(
    machine: Machine, node: Sandbox, wheels: dict[str, Sequence[Path]]
) -> None:
    install(machine, "ovsnet", wheels[PYTHON])
    await judges(machine, node)


async def test_source_archive_is_built_and_does_its_job(
    machine: Machine, node: Sandbox, wheels: dict[str, Sequence[Path]], python_packages: list[Path], tmp_path: Path
) -> None:
    archive = python_packages[1]
    needed = [wheel for wheel in wheels[PYTHON] if wheel not in python_packages]
    install(machine, f"/files/{archive.name}", [archive, *needed, *builders(tmp_path / "tools", PYTHON).iterdir()])
    await judges(machine, node)


def test_wheels_do_not_depend_on_the_umask(
    wheels: dict[str, Sequence[Path]], python_packages: list[Path], tmp_path: Path
) -> None:
    """pip builds one of them here, with the modes of its files."""
    before = os.umask(0o077)
    try:
        again = wheelhouse(tmp_path / "again", PYTHON)
    finally:
        os.umask(before)
    others = {wheel.name: wheel.read_bytes() for wheel in wheels[PYTHON] if wheel not in python_packages}
    assert {wheel.name: wheel.read_bytes() for wheel in again.iterdir()} == others

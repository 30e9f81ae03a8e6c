"""The single file on a machine that has a Python and nothing else: no pip, no network, none of our libraries."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from release import pyz
from tests.system.machine import until

WITHOUT_NETWORK = ("unshare", "--net", "--")


@pytest.fixture(scope="module")
def file(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "ovsnet.pyz"
    path.write_bytes(pyz.single_file(wheels, platform.machine(), 1_700_000_000))
    path.chmod(0o755)
    return path


def run(file: Path, cache: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.defpath, "XDG_CACHE_HOME": str(cache)}
    argv = [*WITHOUT_NETWORK, "/usr/bin/python3", "-Es", str(file), *arguments]
    return subprocess.run(argv, env=environment, capture_output=True, text=True)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    path = tmp_path / "cache"
    path.mkdir(mode=0o700)
    return path


def test_check_of_a_real_node_works(file: Path, cache: Path, node: Sandbox) -> None:
    def said() -> tuple[int, str, str]:
        done = run(file, cache, "check", "--json", "--rundir", str(node.rundir), "--ovn-rundir", str(node.rundir))
        assert done.stderr == ""
        document = json.loads(done.stdout)
        return done.returncode, document["state"], document["diagnosis"]["code"]

    # A node that has just started may lack ovn-northd for a while.
    until(lambda: said() == (0, "ready", "healthy"), "a healthy node", lambda: str(said()))


async def test_fault_is_found_as_ever(file: Path, cache: Path, node: Sandbox) -> None:
    await node.freeze("ovs-vswitchd")
    done = run(file, cache, "check", "--json", "--rundir", str(node.rundir), "--ovn-rundir", str(node.rundir))
    assert done.returncode == 1
    assert json.loads(done.stdout)["diagnosis"]["code"].startswith("vswitchd-")


def test_every_command_finds_its_libraries(file: Path, cache: Path) -> None:
    """The agent's (aiohttp, uvloop), the page's and the bench's too."""
    for command in ("serve", "top", "bench", "tune", "doctor", "explain", "kubernetes"):
        done = run(file, cache, command, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: ovsnet ")


def test_two_files_of_the_same_wheels_are_the_same(file: Path, wheels: dict[str, Sequence[Path]]) -> None:
    assert pyz.single_file(wheels, platform.machine(), 1_700_000_000) == file.read_bytes()

"""The single file and the Debian package under the Pythons of other Debian suites."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from release import deb, pyz
from tests.packages.pythons import PYTHONS, Enclosed
from tests.system.machine import until

EPOCH = 1_700_000_000

COMMANDS = ("serve", "top", "bench")
"""Between them they need all of the libraries. Without byte code, as in these trees, each takes seconds."""


@pytest.fixture(scope="module")
def file(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("file") / "ovsnet.pyz"
    path.write_bytes(pyz.single_file(wheels, platform.machine(), EPOCH))
    return path


@pytest.fixture(scope="module")
def package(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deb.package(tmp_path_factory.mktemp("deb"), wheels, platform.machine(), EPOCH)


def says_what_a_node_is(enclosed: Enclosed, node: Sandbox, *program: str, **environment: str) -> None:
    """Each command finds its libraries, the compiled ones too, and a node that is well is said to be."""
    for command in COMMANDS:
        done = enclosed.run(*program, command, "--help", **environment)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("Usage: ovsnet ")

    def said() -> tuple[int, str, str]:
        places = ("--rundir", str(node.rundir), "--ovn-rundir", str(node.rundir))
        done = enclosed.run(*program, "check", "--json", *places, **environment)
        assert done.stderr == ""
        document = json.loads(done.stdout)
        return done.returncode, document["state"], document["diagnosis"]["code"]

    until(lambda: said() == (0, "ready", "healthy"), "a healthy node", lambda: str(said()))


@pytest.mark.parametrize("suite", PYTHONS)
def test_suite_has_the_python_that_is_meant(suite: str, tmp_path: Path) -> None:
    done = Enclosed(suite, tmp_path, []).run("/usr/bin/python3", "-c", "import sys; print(*sys.version_info[:2])")
    assert tuple(map(int, done.stdout.split())) == PYTHONS[suite], done.stderr


@pytest.mark.parametrize("suite", PYTHONS)
def test_single_file_runs_there(suite: str, file: Path, tmp_path: Path, node: Sandbox) -> None:
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o700)
    enclosed = Enclosed(suite, tmp_path / "place", [file.parent, cache, node.rundir])
    says_what_a_node_is(enclosed, node, "/usr/bin/python3", "-Es", str(file), XDG_CACHE_HOME=str(cache))


@pytest.mark.parametrize("suite", PYTHONS)
def test_what_the_debian_package_holds_runs_there(suite: str, package: Path, tmp_path: Path, node: Sandbox) -> None:
    enclosed = Enclosed(suite, tmp_path, [node.rundir])
    subprocess.run(["dpkg-deb", "-x", str(package), str(enclosed.extra)], check=True)
    says_what_a_node_is(enclosed, node, "/usr/bin/ovsnet")

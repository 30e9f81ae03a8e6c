"""The container image of the release, loaded as a user of it would, and the agent that runs in it."""

from __future__ import annotations

import gzip
import io
import json
import platform
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ovsnet.sandbox.node import Sandbox
from release import base, image
from tests.system.container import PATH, Buildah, Container
from tests.system.machine import until
from tests.system.test_container import LISTEN, pod

EPOCH = 1_700_000_000

MOST = 90_000_000
"""Bytes of its files."""

SHELLS = {"sh", "bash", "dash", "ash", "busybox"}

OF_A_BUILD = {"pip", "pip3", "apt", "apt-get", "dpkg", "cc", "gcc", "ld", "make", "perl"}


@pytest.fixture(scope="module")
def file(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.package(tmp_path_factory.mktemp("image"), wheels, platform.machine(), EPOCH)


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    directory = tmp_path_factory.mktemp("buildah")
    yield Buildah(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def loaded(buildah: Buildah, file: Path) -> str:
    return buildah.load(file)


@pytest.fixture(scope="module")
def root(buildah: Buildah, loaded: str) -> Path:
    return buildah.unpacked(loaded)


def layers(file: Path) -> list[bytes]:
    """Each as a tar archive, the lowest first."""
    with tarfile.open(file) as archive:

        def blob(digest: str) -> bytes:
            member = archive.extractfile(f"blobs/sha256/{digest.removeprefix('sha256:')}")
            assert member is not None
            return member.read()

        index = archive.extractfile("index.json")
        assert index is not None
        (described,) = json.load(index)["manifests"]
        manifest = json.loads(blob(described["digest"]))
        return [gzip.decompress(blob(layer["digest"])) for layer in manifest["layers"]]


def test_two_builds_are_the_same_file(file: Path, wheels: dict[str, Sequence[Path]], tmp_path: Path) -> None:
    assert image.package(tmp_path, wheels, platform.machine(), EPOCH).read_bytes() == file.read_bytes()


def test_it_is_small_and_holds_nothing_but_a_python_and_ovsnet(file: Path) -> None:
    members = []
    for each in layers(file):
        with tarfile.open(fileobj=io.BytesIO(each)) as archive:
            members += [member for member in archive if not member.isdir()]
    assert sum(member.size for member in members) <= MOST
    names = {member.name for member in members}
    programs = {Path(name).name for name in names}
    assert not programs & (SHELLS | OF_A_BUILD)
    assert sorted(name for name in names if "/bin/" in name or "/sbin/" in name) == [
        "opt/ovsnet/bin/ovsnet",
        "usr/bin/python3",
        "usr/bin/python3.11",
    ]
    assert not [
        name for name in names if "site-packages/pip" in name or name.startswith("usr/lib/python3.11/ensurepip")
    ]


def test_base_is_pinned_for_both_machines() -> None:
    for machine in base.ARCHITECTURES:
        names = [path.rpartition("/")[2].partition("_")[0] for _, path in base.pinned(machine)]
        assert sorted(names) == sorted(base.PACKAGES)


def test_runtime_is_told_what_the_containerfile_tells_it(buildah: Buildah, loaded: str) -> None:
    configuration = buildah.configuration(loaded)
    assert configuration["User"] == "65534:65534"
    assert (configuration["Entrypoint"], configuration["Cmd"]) == (["/opt/ovsnet/bin/ovsnet"], ["serve"])


async def test_agent_in_it_probes_and_proves_a_hang(node: Sandbox, root: Path, tmp_path: Path) -> None:
    with Container(root, pod(node, root), tmp_path / "log", **LISTEN) as agent:
        until(lambda: agent.ask("/readyz") == (200, "ok\n"), "readiness")
        assert agent.capabilities() == {"0000000000000000"}
        await node.freeze("ovs-vswitchd")
        until(lambda: agent.ask("/readyz")[1].startswith("vswitchd-hung"), "the proof")
        assert agent.ask("/livez")[0] == 200


def test_socket_that_ovn_kubernetes_names_is_below_what_is_mounted(root: Path) -> None:
    """Its ovn-remote is unix:/var/run/ovn/ovnsb_db.sock, and the host's directory is mounted at /run/ovn."""
    assert (root / "var/run").readlink() == Path("../run")


def test_every_command_finds_its_libraries(root: Path) -> None:
    for command in ("serve", "check", "top", "tune", "doctor", "explain", "report", "kubernetes"):
        assert in_root(root, command, "--help").startswith("Usage: ovsnet ")


def in_root(root: Path, *words: str) -> str:
    argv = ["chroot", str(root), image.PROGRAM, *words]
    return subprocess.run(argv, env={"PATH": PATH}, capture_output=True, text=True, check=True).stdout

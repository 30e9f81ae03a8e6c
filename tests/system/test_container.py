"""The Containerfile is built where no registry is reached, and its agent probes a node through mounted directories."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ovsnet.config import Settings
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.workload import daemonset
from ovsnet.sandbox.node import Sandbox
from tests.system.container import Buildah, Container
from tests.system.image import container_base
from tests.system.machine import until


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    directory = tmp_path_factory.mktemp("buildah")
    yield Buildah(directory)
    shutil.rmtree(directory)


@pytest.fixture(scope="module")
def image(buildah: Buildah) -> str:
    return buildah.build(buildah.base(container_base()))


@pytest.fixture(scope="module")
def root(buildah: Buildah, image: str) -> Path:
    return buildah.unpacked(image)


def pod(node: Sandbox, root: Path, **choices: Any) -> Mapping[str, Any]:
    """Of the DaemonSet that would probe this node."""
    settings = Settings(rundir=str(node.rundir), ovn_rundir=str(node.rundir), interval=0.2, timeout=0.5, hung_after=1.0)
    document: Any = daemonset(Deployment(settings, **choices))
    (root / str(node.rundir).lstrip("/")).mkdir(parents=True, exist_ok=True)  # a runtime makes mount points, too
    spec: Mapping[str, Any] = document["spec"]["template"]["spec"]
    return spec


LISTEN = {"OVSNET_LISTEN": "127.0.0.1:0"}
"""So that tests may run side by side."""


def test_image_holds_no_compiler_no_pip_and_nothing_of_the_build(root: Path, buildah: Buildah, image: str) -> None:
    programs = {
        path.name for place in ("usr/bin", "usr/local/bin", "opt/ovsnet/bin") for path in (root / place).glob("*")
    }
    assert "ovsnet" in programs
    assert not programs & {"cc", "gcc", "c++", "g++", "clang", "ld", "make", "pip", "pip3"}
    assert not [
        path for path in ("source", "pip", "etc/pip.conf", "etc/lent-authorities.pem") if (root / path).exists()
    ]
    configuration = buildah.configuration(image)
    assert configuration["User"] == "65534:65534"
    assert (configuration["Entrypoint"], configuration["Cmd"]) == (["/opt/ovsnet/bin/ovsnet"], ["serve"])


async def test_agent_in_a_pid_namespace_of_its_own_probes_and_takes_no_silence_for_death(
    node: Sandbox, root: Path, tmp_path: Path
) -> None:
    """It has no privilege, and connects to sockets on a read-only mount."""
    with Container(root, pod(node, root, host_pid=False), tmp_path / "log", **LISTEN) as agent:
        until(lambda: agent.diagnosis() == "healthy", "a healthy node")
        assert agent.ask("/readyz") == (200, "ok\n")
        await node.freeze("ovs-vswitchd")
        until(lambda: agent.diagnosis() == "process-unseen", "the silence")
        assert (agent.ask("/readyz")[0], agent.ask("/ovs/livez")[0]) == (200, 200)


async def test_agent_among_the_hosts_processes_proves_a_hang_without_a_capability(
    node: Sandbox, root: Path, tmp_path: Path
) -> None:
    with Container(root, pod(node, root), tmp_path / "log", **LISTEN) as agent:
        until(lambda: agent.ask("/readyz") == (200, "ok\n"), "readiness")
        assert agent.capabilities() == {"0000000000000000"}
        assert {agent.options("/"), agent.options(str(node.rundir))} == {"ro"}
        await node.freeze("ovs-vswitchd")
        until(lambda: agent.ask("/readyz")[1].startswith("vswitchd-hung"), "the proof")
        assert agent.ask("/livez")[0] == 200


def test_agent_of_another_user_is_told_why_it_sees_nothing(node: Sandbox, root: Path, tmp_path: Path) -> None:
    with Container(root, pod(node, root, user=65534), tmp_path / "log", **LISTEN) as agent:
        until(lambda: agent.diagnosis() == "permission-denied", "the refusal")
        assert "Run ovsnet as root." in agent.ask("/readyz")[1]

"""A kubelet and a containerd for all tests, both in an enclosure, and their logs in the report when a test fails."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.kubelet.containerd import PAUSE, Containerd
from tests.kubelet.enclosure import PLACE
from tests.kubelet.kubelet import Kubelet, Pod, logs_of_pods
from tests.kubelet.pods import IMAGE
from tests.system.container import Buildah
from tests.system.image import container_base

Run = Callable[[Mapping[str, Any]], Pod]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/kubelet/"):
            item.add_marker("system")
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session", autouse=True)
def place() -> Path:
    """The enclosure's file system."""
    if found := os.environ.get(PLACE):
        return Path(found)
    pytest.exit("NOT RUN: make test-kubelet: it runs by that command alone, so that nothing is left.", returncode=3)


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Files of the agent's image, and of one that holds a pod's namespaces."""
    directory = tmp_path_factory.mktemp("buildah")
    buildah = Buildah(directory)
    agent = buildah.build(buildah.base(container_base()))
    pause = buildah.derive(agent, "/opt/ovsnet/bin/python3", "-c", "import signal; signal.pause()")
    files = [directory / "agent.tar", directory / "pause.tar"]
    for image, file, name in zip((agent, pause), files, (IMAGE, PAUSE), strict=True):
        buildah.save(image, file, name)
    yield files
    shutil.rmtree(directory)


@pytest.fixture(scope="session")
def containerd(place: Path, images: list[Path]) -> Iterator[Containerd]:
    with Containerd(place) as running:
        for file in images:
            running.load(file)
        yield running


@pytest.fixture(scope="session")
def kubelet(place: Path, containerd: Containerd) -> Iterator[Kubelet]:
    with Kubelet(place) as running:
        yield running


@pytest.fixture
def run(kubelet: Kubelet) -> Iterator[Run]:
    """Give the kubelet a pod, for this test alone, and wait until it is ready."""
    pods: list[Pod] = []

    def start(pod: Mapping[str, Any]) -> Pod:
        pods.append(kubelet.run(pod))
        pods[-1].until_ready()
        return pods[-1]

    yield start
    for pod in pods:
        pod.remove()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        fixtures: dict[str, Any] = getattr(item, "funcargs", {})
        for name, value in fixtures.items():
            if isinstance(value, Kubelet | Containerd):
                report.sections.append((f"log of {name}", value.log()))
        report.sections.append(("logs of the pods", logs_of_pods()))
    return report

"""What ``make dist`` writes, built once for all tests; each of them is then installed where nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from release.__main__ import PYTHONS
from release.python_packages import build
from release.wheelhouse import wheelhouse
from tests.system.needs import missing


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/packages/"):
            item.add_marker("system")
            item.add_marker(pytest.mark.timeout(3600))


@pytest.fixture(scope="session", autouse=True)
def able_host() -> None:
    """One sentence instead of an error in each test."""
    if sentence := missing():
        pytest.exit(f"NOT RUN: make test-packages: {sentence}", returncode=3)


@pytest.fixture(scope="session")
def python_packages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheel and source archive."""
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory, python_packages: list[Path]) -> dict[str, Sequence[Path]]:
    """ovsnet's and all others, by Python."""
    shelf = tmp_path_factory.mktemp("wheels")
    try:
        return {each: [*wheelhouse(shelf / each, each).iterdir(), python_packages[0]] for each in PYTHONS}
    except UnfitEnvironment as error:
        pytest.exit(f"NOT RUN: make test-packages: {error} {error.remedy}", returncode=3)

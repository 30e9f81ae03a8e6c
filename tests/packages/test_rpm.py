"""The RPM: the same bytes each time, and checked by rpmlint. What is not tested is that it serves once installed."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from ovsnet.sandbox import binaries
from release import rpm
from release.pins import SOURCE

EPOCH = 1_700_000_000


@pytest.fixture(scope="module")
def package(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rpm.package(tmp_path_factory.mktemp("rpm"), wheels, platform.machine(), EPOCH)


def test_two_builds_are_the_same_file(package: Path, wheels: dict[str, Sequence[Path]], tmp_path: Path) -> None:
    assert rpm.package(tmp_path, wheels, platform.machine(), EPOCH).read_bytes() == package.read_bytes()


def test_rpmlint_finds_nothing(package: Path) -> None:
    """But what rpmlint.toml lets pass, and says why."""
    found, tools = binaries.fetch_packages(["rpmlint"]), rpm.tools()
    home = Path(found.source)
    places = {
        name: os.pathsep.join([found.environment()[name], tools.environment()[name]])
        for name in ("PATH", "LD_LIBRARY_PATH")
    }
    places["PYTHONPATH"] = str(home / "usr/lib/python3/dist-packages")
    places["RPM_CONFIGDIR"] = str(Path(tools.source, "usr/lib/rpm"))
    argv = ["/usr/bin/python3", str(home / "usr/bin/rpmlint"), "--strict", f"--config={SOURCE}/release/rpmlint.toml"]
    done = subprocess.run(
        [*argv, str(package)],
        env=os.environ | places,
        capture_output=True,
        text=True,
    )
    assert re.search(r" 0 errors, 0 warnings,", done.stdout), done.stdout + done.stderr

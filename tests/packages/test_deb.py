"""The Debian package on Debian: a real systemd starts its service beside Debian's own Open vSwitch, and purge leaves
nothing."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ovsnet.cli.completion import script
from release import deb
from release.tree import COMPLETIONS
from tests.system.conftest import DUMMY_SWITCH
from tests.system.image import HOME, node_image
from tests.system.machine import Machine, until
from tests.system.test_systemd import ask

EPOCH = 1_700_000_000

OF_DPKG = ("/var/lib/dpkg", "/var/log", "/var/cache/debconf", "/proc", "/sys", "/run", "/tmp", "/var/tmp")
"""Where a package manager and the daemons themselves write."""


@pytest.fixture(scope="module")
def package(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return deb.package(tmp_path_factory.mktemp("deb"), wheels, platform.machine(), EPOCH)


@pytest.fixture(scope="module")
def machine(package: Path) -> Iterator[Machine]:
    """With Open vSwitch, a Python, and nothing of ovsnet."""
    with Machine(node_image()) as machine:
        shutil.rmtree(machine.root / HOME.lstrip("/"))
        shutil.copy(package, machine.root / "ovsnet.deb")
        machine.write("/etc/systemd/system/ovs-vswitchd.service.d/dummy.conf", DUMMY_SWITCH.format(user=""))
        machine.boot()
        machine.until_active("ovs-vswitchd.service")
        machine.run("ovs-vsctl", "--may-exist", "add-br", "br-int")
        machine.run("ovs-ofctl", "add-flow", "br-int", "actions=normal")
        machine.run("systemctl", "disable", "--now", "ovn-central.service", "ovn-host.service")
        yield machine


def files(machine: Machine) -> set[str]:
    """Of the whole machine, but for what is not a package's to keep."""
    pruned = " -o ".join(f"-path {place}" for place in OF_DPKG)
    return set(machine.run("sh", "-c", f"find / -xdev '(' {pruned} ')' -prune -o -not -type d -print").splitlines())


def test_it_serves_once_installed_and_purge_leaves_nothing(machine: Machine) -> None:
    before = files(machine)
    machine.run("dpkg", "--install", "/ovsnet.deb")
    machine.until_active("ovsnet.service")
    until(lambda: ask(machine, "/readyz") == (200, "ok\n"), "readiness", lambda: str(ask(machine, "/status")))
    assert machine.run("ovsnet", "check", check=False).startswith("healthy")
    for unit in ("ovsnet.socket", "ovsnet.service", "ovsnet-doctor.service"):
        assert machine.run("systemctl", "is-enabled", unit).strip() == "enabled"
    for shell, path in COMPLETIONS["debian"].items():
        assert machine.inside(path).read_text() == script(shell)

    config = machine.inside("/etc/ovsnet/ovsnet.toml")
    config.write_text("interval = 2\n")
    machine.run("dpkg", "--force-confold", "--install", "/ovsnet.deb")
    assert config.read_text() == "interval = 2\n"
    machine.until_active("ovsnet.service")

    machine.run("dpkg", "--remove", "ovsnet")
    assert config.read_text() == "interval = 2\n"
    assert machine.show("ovsnet.service", "ActiveState") == "inactive"
    machine.run("dpkg", "--purge", "ovsnet")
    assert files(machine) - before == set()


def test_two_builds_are_the_same_file(package: Path, wheels: dict[str, Sequence[Path]], tmp_path: Path) -> None:
    assert deb.package(tmp_path, wheels, platform.machine(), EPOCH).read_bytes() == package.read_bytes()

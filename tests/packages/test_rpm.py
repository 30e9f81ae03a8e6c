"""The RPM on a machine whose Open vSwitch is a user's, as RHEL's: installed by rpm itself, and checked by rpmlint.

The machine is Debian's, for RHEL's packages are not at hand: so the package's dependencies are not looked at.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ovsnet.cli.completion import script
from ovsnet.sandbox import binaries, suite
from release import rpm
from release.pins import SOURCE
from release.tree import COMPLETIONS
from tests.packages.test_deb import files
from tests.system.conftest import DUMMY_SWITCH, give_to_a_user
from tests.system.image import HOME, RELEASE, node_image
from tests.system.machine import Machine, mount, until
from tests.system.test_systemd import ask

EPOCH = 1_700_000_000

CONFIG = "/etc/ovsnet/ovsnet.toml"


@pytest.fixture(scope="module")
def package(wheels: dict[str, Sequence[Path]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return rpm.package(tmp_path_factory.mktemp("rpm"), wheels, platform.machine(), EPOCH)


@pytest.fixture(scope="module")
def tool() -> Path:
    """Debian's rpm with all that it needs, for any machine."""
    return suite.programs(RELEASE, packages=("rpm",), names=("rpm",))


@pytest.fixture(scope="module")
def machine(package: Path, tool: Path) -> Iterator[Machine]:
    """With Open vSwitch, a Python, rpm, and nothing of ovsnet."""
    with Machine(node_image()) as machine:
        shutil.rmtree(machine.root / HOME.lstrip("/"))
        shutil.copy(package, machine.root / "ovsnet.rpm")
        lent = machine.root / str(tool.parent).lstrip("/")
        lent.mkdir(parents=True)
        mount("--bind", "-o", "ro", tool.parent, lent)
        user = give_to_a_user(machine)
        machine.write("/etc/systemd/system/ovs-vswitchd.service.d/dummy.conf", DUMMY_SWITCH.format(user=user))
        machine.boot()
        machine.until_active("ovs-vswitchd.service")
        machine.run("ovs-vsctl", "--may-exist", "add-br", "br-int")
        machine.run("ovs-ofctl", "add-flow", "br-int", "actions=normal")
        yield machine


def run_rpm(machine: Machine, tool: Path, *words: str) -> str:
    """In the machine. Debian's wants to be told that it is meant."""
    places = (f"RPM_CONFIGDIR={tool.parent}/root/usr/lib/rpm", "HOME=/root")
    return machine.run("env", *places, str(tool / "rpm"), "--dbpath=/var/lib/rpm", "--force-debian", *words)


def test_it_serves_once_installed_and_its_removal_leaves_what_was_edited(machine: Machine, tool: Path) -> None:
    before = files(machine)
    run_rpm(machine, tool, "--install", "--nodeps", "/ovsnet.rpm")
    machine.run("systemctl", "start", "ovsnet.socket", "ovsnet.service")
    machine.until_active("ovsnet.service")
    until(lambda: ask(machine, "/readyz") == (200, "ok\n"), "readiness", lambda: str(ask(machine, "/status")))
    assert machine.show("ovsnet.service", "User") == "openvswitch"
    assert machine.run("ovsnet", "check", check=False).startswith("healthy")
    for unit in ("ovsnet.socket", "ovsnet.service", "ovsnet-doctor.service"):
        assert machine.run("systemctl", "is-enabled", unit).strip() == "enabled"
    for shell, path in COMPLETIONS["rhel"].items():
        assert machine.inside(path).read_text() == script(shell)

    config = machine.inside(CONFIG)
    config.write_text("interval = 2\n")
    run_rpm(machine, tool, "--upgrade", "--force", "--nodeps", "/ovsnet.rpm")
    assert config.read_text() == "interval = 2\n"
    machine.until_active("ovsnet.service")

    run_rpm(machine, tool, "--erase", "ovsnet")
    assert machine.show("ovsnet.service", "ActiveState") == "inactive"
    left = {path for path in files(machine) - before if not path.startswith("/var/lib/rpm/")}
    assert left == {f"{CONFIG}.rpmsave"}


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

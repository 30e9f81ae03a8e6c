"""Machines with a real systemd, Debian's own Open vSwitch and OVN, and ovsnet from the shipped units."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from ovsnet.deploy.systemd.units import MARK, wait_for_openflow
from release.wheelhouse import ours
from tests.system.browser import Browser, chromium
from tests.system.image import HOME, node_image
from tests.system.machine import Machine, until
from tests.system.needs import missing

OVSNET = f"{HOME}/bin/ovsnet"

DUMMY_SWITCH = """\
[Service]
Type=forking
ExecStart=
ExecStart=/usr/lib/openvswitch-switch/ovs-vswitchd unix:/run/openvswitch/db.sock \
    --enable-dummy=override --disable-system --pidfile --detach --no-chdir --log-file
{user}
ExecStop=
ExecStop=/usr/bin/ovs-appctl exit
"""
"""No kernel module is at hand: the datapath alone is a dummy."""

DATABASE_OF_A_USER = """\
[Service]
User=openvswitch
ExecStart=
ExecStart=/usr/sbin/ovsdb-server /etc/openvswitch/conf.db --remote=punix:/run/openvswitch/db.sock \
    --pidfile --detach --no-chdir --log-file
ExecStartPost=/usr/bin/ovs-vsctl --no-wait init
ExecStop=
"""
"""RHEL's daemons become openvswitch by themselves, with capabilities that a machine in a machine lacks."""

BLOCK_ON_SIGNAL = """\
import signal, time
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3600))
"""
"""A module that Python imports at its start: SIGUSR1 then blocks the loop, as a bug would."""

CONF_DB = "/var/lib/openvswitch/conf.db"

SETTINGS = (
    "external_ids:ovn-remote=unix:/run/ovn/ovnsb_db.sock",
    "external_ids:ovn-encap-type=geneve",
    "external_ids:ovn-encap-ip=127.0.0.1",
    "external_ids:system-id=node",
)
"""What makes the node a chassis."""


REFUSED = "net::ERR_"
"""What a browser writes by itself when nobody answers."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/system/"):
            item.add_marker("system")
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session", autouse=True)
def able_host() -> None:
    """One sentence instead of an error in each test."""
    if sentence := missing():
        pytest.exit(f"make test-system: {sentence}", returncode=3)


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """No test leaves a word in the console, or breaks the page's policy. That the agent ends before the browser does
    is no fault of the page."""
    async with chromium() as browser:
        yield browser
        assert [each for each in browser.problems if REFUSED not in each and "imed out" not in each] == []


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ovsnet as it would be installed."""
    return ours(tmp_path_factory.mktemp("wheel"))


def furnish(machine: Machine, wheel: Path, family: str) -> None:
    """ovsnet and its units, and a switch that works without a kernel module."""
    (machine.root / "wheels" / wheel.name).write_bytes(wheel.read_bytes())
    machine.chroot(f"{HOME}/bin/pip", "install", "--quiet", "--no-index", "--no-deps", f"/wheels/{wheel.name}")
    machine.chroot(OVSNET, "install", "--family", family, "--program", OVSNET)
    units = ("ovsnet.socket", "ovsnet.service", "ovsnet-doctor.service")
    machine.chroot("systemctl", "enable", *units)
    user = ""
    if family == "rhel":
        user = give_to_a_user(machine)
    machine.write("/etc/systemd/system/ovs-vswitchd.service.d/dummy.conf", DUMMY_SWITCH.format(user=user))
    # As on RHEL, and on a Debian where 0.1 was installed.
    machine.write("/etc/systemd/system/ovn-controller.service.d/ovsnet.conf", MARK + wait_for_openflow(OVSNET))
    machine.write("/opt/block/sitecustomize.py", BLOCK_ON_SIGNAL)
    machine.write("/etc/systemd/system/ovsnet.service.d/block.conf", "[Service]\nEnvironment=PYTHONPATH=/opt/block\n")


def give_to_a_user(machine: Machine) -> str:
    """Open vSwitch without OVN, as RHEL's: daemons and files are openvswitch's. The line of a unit that says so."""
    machine.chroot("useradd", "--system", "--user-group", "openvswitch")
    schema = "/usr/share/openvswitch/vswitch.ovsschema"
    machine.chroot("sh", "-c", f"test -s {CONF_DB} || ovsdb-tool create {CONF_DB} {schema}")
    machine.chroot("chown", "-R", "openvswitch:", "/var/lib/openvswitch", "/var/log/openvswitch")
    machine.write("/etc/systemd/system/ovsdb-server.service.d/user.conf", DATABASE_OF_A_USER)
    machine.chroot("systemctl", "disable", "ovn-central.service", "ovn-host.service")
    return "User=openvswitch"


@pytest.fixture(scope="module")
def bare_machine(wheel: Path) -> Iterator[Machine]:
    """A node of Debian's after its very first boot: nobody has made br-int, or named a southbound."""
    with Machine(node_image()) as machine:
        furnish(machine, wheel, "debian")
        machine.boot()
        yield machine


@pytest.fixture(scope="module")
def machine(bare_machine: Machine) -> Machine:
    """The same, as a chassis whose flows are in."""
    make_chassis(bare_machine)
    return bare_machine


def make_chassis(machine: Machine) -> None:
    """Configure OVN, and return when the node is ready."""
    # ovn-controller 23.03 crashes on a southbound that northd has never written to, and after five times in ten seconds
    # systemd starts it no more.
    machine.run("ovn-nbctl", "--wait=sb", "sync")
    machine.run("ovs-vsctl", "set", "Open_vSwitch", ".", *SETTINGS)
    # A chassis with no port of its own holds no flow: OVN installs some as soon as one logical switch has a port here.
    machine.run("ovn-nbctl", "ls-add", "s", "--", "lsp-add", "s", "p", "--", "lsp-set-addresses", "p", "dynamic")
    until(lambda: "br-int" in machine.run("ovs-vsctl", "list-br"), "br-int")
    machine.run("ovs-vsctl", "add-port", "br-int", "p", "--", "set", "Interface", "p", "external_ids:iface-id=p")

    def asked() -> str:
        return machine.run(OVSNET, "check", check=False)

    def logs() -> str:
        return asked() + machine.run(
            "sh", "-c", "tail -n 30 /var/log/openvswitch/*.log /var/log/ovn/*.log", check=False
        )

    until(lambda: asked().startswith("healthy"), "a healthy node", logs)

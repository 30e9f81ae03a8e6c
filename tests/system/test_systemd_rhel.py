"""Where Open vSwitch runs as a user of its own: ovsnet runs as the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.conftest import OVSNET, furnish
from tests.system.image import node_image
from tests.system.machine import Machine, until


@pytest.fixture(scope="module")
def machine(wheel: Path) -> Iterator[Machine]:
    with Machine(node_image()) as machine:
        furnish(machine, wheel, "rhel")
        machine.boot()
        machine.until_active("ovs-vswitchd.service")
        machine.run("ovs-vsctl", "add-br", "br-int")
        machine.run("ovs-ofctl", "add-flow", "br-int", "actions=normal")
        yield machine


def test_sockets_of_another_user_are_opened_without_any_privilege(machine: Machine) -> None:
    machine.until_active("ovsnet.service")
    assert machine.run("stat", "--format=%U %a", "/run/openvswitch/db.sock").split() == ["openvswitch", "750"]
    pid = machine.show("ovsnet.service", "MainPID")
    assert machine.run("stat", "--format=%U", f"/proc/{pid}").strip() == "openvswitch"
    until(lambda: machine.show("ovsnet.service", "StatusText").startswith("healthy: "), "a healthy node")


def test_another_user_is_told_that_it_may_not_look(machine: Machine) -> None:
    said = machine.run("setpriv", "--reuid=nobody", "--clear-groups", OVSNET, "check", check=False)
    assert said.startswith("permission-denied: ")

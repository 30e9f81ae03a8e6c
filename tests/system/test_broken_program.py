"""An ovsnet that is broken under a real systemd: nothing of OVS or OVN waits for it, and once the cause is gone, it
comes back by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.system.conftest import OVSNET
from tests.system.machine import Machine, until
from tests.system.test_systemd import ask, main_pid

CONFIG = "/etc/ovsnet/ovsnet.toml"
VENV = OVSNET.rpartition("/bin/")[0]

MORE_THAN_SYSTEMD_ALLOWS = 6
"""Starts in a row. By default five within ten seconds end a unit for good, and its socket with it (systemd.unit(5),
StartLimitBurst=)."""


def in_place_of_the_program(script: str) -> Callable[[Machine], None]:
    def put(machine: Machine) -> None:
        machine.run("mv", OVSNET, f"{OVSNET}.kept")
        machine.inside(OVSNET).write_text(script)
        machine.run("chmod", "+x", OVSNET)

    return put


def without_its_environment(machine: Machine) -> None:
    machine.run("mv", VENV, f"{VENV}.kept")


def with_a_broken_file(machine: Machine) -> None:
    machine.run("cp", CONFIG, f"{CONFIG}.kept")
    machine.inside(CONFIG).write_text("not TOML")


ENDS = {
    "broken": in_place_of_the_program("#!/bin/sh\nexit 1\n"),
    "no interpreter": in_place_of_the_program("#!/nonexistent\n"),
    "no environment": without_its_environment,
    "bad TOML": with_a_broken_file,
}


@pytest.fixture
def node(machine: Machine) -> Iterator[Machine]:
    """It is repaired afterwards, whatever was broken."""
    machine.run("systemctl", "start", "ovsnet.socket", "ovsnet.service")
    until(lambda: ask(machine, "/readyz")[0] == 200, "readiness")
    yield machine
    repair(machine)


def repair(machine: Machine) -> None:
    for path in (VENV, OVSNET, CONFIG):
        machine.run("sh", "-c", f"test ! -e {path}.kept || {{ rm -rf {path}; mv {path}.kept {path}; }}")


@pytest.mark.parametrize("how", ENDS)
def test_program_that_ends_at_each_start_comes_back_once_it_is_repaired(node: Machine, how: str) -> None:
    ENDS[how](node)
    node.run("systemctl", "restart", "--no-block", "ovsnet.service")
    until(
        lambda: int(node.show("ovsnet.service", "NRestarts")) >= MORE_THAN_SYSTEMD_ALLOWS,
        "start after start",
        lambda: node.journal("ovsnet.service"),
    )
    assert node.show("ovsnet.socket", "ActiveState") == "active"
    node.run("systemctl", "restart", "ovn-controller.service")
    assert node.show("ovn-controller.service", "ActiveState") == "active"
    repair(node)
    assert ask(node, "/livez") == (200, "ok\n")
    until(lambda: ask(node, "/readyz")[0] == 200, "readiness")


def test_program_that_hangs_holds_up_the_start_of_ovn_controller_for_its_time_alone(node: Machine) -> None:
    in_place_of_the_program("#!/bin/sh\ntrap '' TERM\nwhile :; do sleep 1; done\n")(node)
    node.run("systemctl", "restart", "ovn-controller.service")  # timeout(1) ends the wait, by SIGKILL
    assert node.show("ovn-controller.service", "ActiveState") == "active"


def test_open_vswitch_that_is_restarted_restarts_nothing_of_ours(node: Machine) -> None:
    """As its package's upgrade does."""
    before = main_pid(node)
    node.run("systemctl", "restart", "openvswitch-switch.service")
    until(lambda: ask(node, "/readyz")[0] == 200, "readiness")
    assert main_pid(node) == before


def test_configuration_that_was_edited_survives_the_removal(node: Machine) -> None:
    node.run("cp", CONFIG, f"{CONFIG}.kept")
    with node.inside(CONFIG).open("a") as file:
        file.write("interval = 2\n")
    node.run(OVSNET, "install", "--remove")
    assert "interval = 2" in node.inside(CONFIG).read_text()
    assert node.show("ovn-controller.service", "ActiveState") == "active"

"""The command that a person copies is one of the remedy, and does nothing but what the remedy says."""

from __future__ import annotations

import re
import shlex

import pytest

from ovsnet.health.causes import causes
from ovsnet.health.commands import MADE_BY_US, PROGRAMS, command_in

KEYS_AND_SETTINGS = {
    *(
        "LimitNOFILE=",
        "MemoryMax=",
        "OOMScoreAdjust=",
        "cpu.throttled",
        "encap_behind_nat",
        "hostPID: true",
        "inactivity_probe",
    ),
    *("ipv6.disable=1", "nb-", "ovn_northd", "recompute", "{setting}", "--bridge {bridge}", "--ovnnb-db", "--ovnsb-db"),
    *("ovs-ctl start", "ovsdb-tool join-cluster", "ovsdb-server/perf-counters-show"),
}
"""What stands between backticks and is not to be copied: settings, names, and steps that another must precede."""


def test_command_has_the_values_of_the_node() -> None:
    remedy = "Process {stopped} is stopped: resume it with `kill -CONT {stopped}`."
    assert command_in(remedy, {"stopped": "11051"}) == "kill -CONT 11051"


@pytest.mark.parametrize("name", ["$(reboot)", "a; reboot", "a'b", "`reboot`", "a\\", "--all", "a b"])
def test_name_of_a_stranger_is_one_word(name: str) -> None:
    found = command_in("Remove it: `ovs-vsctl --if-exists del-port {bridge} {first}`.", {"bridge": "br", "first": name})
    assert shlex.split(found) == ["ovs-vsctl", "--if-exists", "del-port", "br", name]


def test_what_is_still_to_be_filled_in_is_no_command() -> None:
    assert command_in("Save `cat /proc/PID/stack`, then restart it.", {}) == ""
    assert command_in("See `ovsdb-client convert ADDRESS x` or `df`.", {}) == "df"


def test_settings_are_no_commands() -> None:
    assert command_in("Raise its limit (`LimitNOFILE=`).", {}) == ""


def test_nothing_typed_is_forgotten() -> None:
    """The author of a new remedy decides which it is."""
    typed = {each for cause in causes() for remedy in cause.remedies for each in re.findall("`([^`]+)`", remedy)}
    others = {each for each in typed if each.split()[0] not in PROGRAMS and not each.startswith("cluster/")}
    assert others - {MADE_BY_US} == KEYS_AND_SETTINGS

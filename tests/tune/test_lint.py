"""What lint says of settings, without a node."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ovsnet.node.version import Version
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.lint import Kind, LintResult, effect, faults, lint
from ovsnet.tune.offline import facts_of_values
from ovsnet.tune.profiles import PROFILES

NEW: Version = (26, 3)


def found(*values: tuple[str, str], ovn: Version | None = NEW, ovs: Version | None = (3, 5)) -> dict[str, LintResult]:
    return {finding.knob: finding for finding in lint(facts_of_values(values, ovn=ovn, ovs=ovs))}


KUBE_OVN = (("ovn-remote-probe-interval", "10000"), ("ovn-openflow-probe-interval", "180"))


def test_kube_ovn_is_silent_on_23_03() -> None:
    assert not faults(lint(facts_of_values(KUBE_OVN, ovn=(23, 3, 1))))


@pytest.mark.parametrize("version", [(24, 3), (24, 3, 2), (24, 9), (25, 3), (26, 3)])
def test_kube_ovns_openflow_interval_is_dead_from_24_03_and_replaced_in_milliseconds(version: Version) -> None:
    (fault,) = faults(lint(facts_of_values(KUBE_OVN, ovn=version)))
    assert (fault.kind, fault.knob) == (Kind.DEAD, "ovn-openflow-probe-interval")
    assert "ovn-bridge-remote-probe-interval=180000" in fault.instead


def test_replacement_that_does_not_act_yet_is_named_with_its_version() -> None:
    assert found(*KUBE_OVN, ovn=(24, 3))["ovn-openflow-probe-interval"].instead == (
        "remove it; from OVN 24.09 on, ovn-bridge-remote-probe-interval=180000"
    )


def test_knob_of_an_unknown_version_is_unsure_and_no_fault() -> None:
    finding = found(*KUBE_OVN, ovn=None)["ovn-openflow-probe-interval"]
    assert finding.kind is Kind.UNSURE
    assert "24.03" in finding.does


def test_knob_of_a_later_version_is_dead() -> None:
    finding = found(("ovn-bridge-remote-probe-interval", "60000"), ovn=(23, 3))["ovn-bridge-remote-probe-interval"]
    assert finding.kind is Kind.DEAD
    assert "came with OVN 24.09" in finding.does


@pytest.mark.parametrize(
    ("knob", "text", "kind", "instead"),
    [
        ("ovn-remote-probe-interval", "180", Kind.WRONG_UNIT, "ovn-remote-probe-interval=180000"),
        ("ovn-bridge-remote-probe-interval", "60", Kind.WRONG_UNIT, "ovn-bridge-remote-probe-interval=60000"),
        ("sb-inactivity-probe", "300", Kind.WRONG_UNIT, "sb-inactivity-probe=300000"),
        ("bundle-idle-timeout", "60000", Kind.WRONG_UNIT, "bundle-idle-timeout=60"),
        ("ovn-remote-probe-interval", "999", Kind.BELOW_FLOOR, "ovn-remote-probe-interval=1000"),
        ("ovn-bridge-remote-probe-interval", "1500", Kind.BELOW_FLOOR, "ovn-bridge-remote-probe-interval=5000"),
        ("ovn-bridge-remote-probe-interval", "7500", Kind.BELOW_FLOOR, "ovn-bridge-remote-probe-interval=7000"),
        ("stats-update-interval", "1000", Kind.BELOW_FLOOR, "stats-update-interval=5000"),
        ("max-revalidator", "50", Kind.BELOW_FLOOR, "max-revalidator=500"),
        ("ovn-remote-probe-interval", "0", Kind.UNSAFE_ZERO, "ovn-remote-probe-interval=5000"),
        ("nb-inactivity-probe", "0", Kind.UNSAFE_ZERO, "nb-inactivity-probe=5000"),
        ("max-idle", "0", Kind.UNSAFE_ZERO, "max-idle=10000"),
        ("nb-options-inactivity-probe", "180000", Kind.NO_CONSUMER, "nb-inactivity-probe=180000; remove it"),
        ("ovn-ofctrl-wait-before-clear", "8000", Kind.DEAD, "remove it"),
        ("ovn-set-local-ip", "true", Kind.DEAD, "remove it"),
        ("ovn-remote-probe-interval", "10s", Kind.NOT_A_VALUE, "ovn-remote-probe-interval=N, a whole number"),
        ("ovn-remote-probe-interval", "-1", Kind.NOT_A_VALUE, "ovn-remote-probe-interval=N, a whole number"),
        ("flow-restore-wait", "yes", Kind.NOT_A_VALUE, "flow-restore-wait=true or false"),
        ("ovn-remote-probe-interval", "60000", Kind.EFFECTIVE, ""),
        ("bundle-idle-timeout", "0", Kind.EFFECTIVE, ""),
        ("max-revalidator", "200", Kind.EFFECTIVE, ""),
        ("ovn-monitor-all", "true", Kind.EFFECTIVE, ""),
    ],
)
def test_value_is_judged_by_what_the_daemon_makes_of_it(knob: str, text: str, kind: Kind, instead: str) -> None:
    finding = found((knob, text))[knob]
    assert (finding.kind, finding.instead) == (kind, instead)


def test_word_for_a_flag_is_what_the_daemon_takes_it_for() -> None:
    """OVS compares with "true" where the default is false, and with "false" where it is true."""
    assert "takes it for false" in found(("flow-restore-wait", "yes"))["flow-restore-wait"].does
    assert "takes it for true" in found(("ovn-enable-lflow-cache", "off"))["ovn-enable-lflow-cache"].does


def test_zero_is_safe_where_the_other_end_cannot_be_cut_off() -> None:
    facts = facts_of_values([("ovn-remote-probe-interval", "0")], ovn=NEW)
    (row,) = facts.rows("Open_vSwitch", "Open_vSwitch")
    external_ids = {**row.columns["external_ids"], "ovn-remote": "unix:/run/ovn/ovnsb_db.sock"}
    columns = {**row.columns, "external_ids": external_ids}
    local = Facts(facts.versions, {("Open_vSwitch", "Open_vSwitch"): (type(row)(row.uuid, row.label, columns),)})
    assert {finding.kind for finding in faults(lint(local))} == {Kind.MISSING}, "of what makes it a chassis"


def test_one_number_in_two_units_is_found_in_either() -> None:
    """ovn-kubernetes writes one value into both."""
    both = [("ovn-bridge-remote-probe-interval", "60"), ("bundle-idle-timeout", "60")]
    assert found(*both)["ovn-bridge-remote-probe-interval"].kind is Kind.WRONG_UNIT
    both = [("ovn-bridge-remote-probe-interval", "60000"), ("bundle-idle-timeout", "60000")]
    assert found(*both)["bundle-idle-timeout"].kind is Kind.WRONG_UNIT


def contradictions(*values: tuple[str, str]) -> list[tuple[str, str]]:
    findings = lint(facts_of_values(values, ovn=NEW, ovs=(3, 5)))
    return [(finding.knob, finding.instead) for finding in findings if finding.kind is Kind.CONTRADICTION]


def test_less_patient_end_of_a_connection_contradicts_the_other() -> None:
    assert contradictions(("sb-inactivity-probe", "180000"), ("ovn-remote-probe-interval", "10000")) == [
        ("ovn-remote-probe-interval", "ovn-remote-probe-interval=180000, or less for both")
    ]
    assert contradictions(("sb-inactivity-probe", "5000"), ("ovn-remote-probe-interval", "100000")) == [
        ("sb-inactivity-probe", "sb-inactivity-probe=100000, or less for both")
    ]


def test_contradiction_of_one_client_with_two_servers_says_which_is_meant() -> None:
    both = [("nb-inactivity-probe", "180000"), ("sb-inactivity-probe", "180000"), ("northd_probe_interval", "5000")]
    findings = lint(facts_of_values(both, ovn=NEW, ovs=(3, 5)))
    said = [finding.does for finding in findings if finding.kind is Kind.CONTRADICTION]
    assert [each.partition(" after ")[0].split()[-1] for each in said] == ["OVN_Southbound", "OVN_Northbound"]


def test_ends_that_are_not_far_apart_do_not_contradict() -> None:
    assert not contradictions(("sb-inactivity-probe", "60000"), ("ovn-remote-probe-interval", "30000"))


def test_bundle_that_dies_before_its_connection_contradicts() -> None:
    assert contradictions(("ovn-bridge-remote-probe-interval", "60000"), ("bundle-idle-timeout", "10")) == [
        ("bundle-idle-timeout", "bundle-idle-timeout=60")
    ]


def test_probe_below_the_election_timer_contradicts() -> None:
    facts = facts_of_values([("ovn-remote-probe-interval", "10000")], ovn=NEW)
    slow = Facts(facts.versions, facts.tables, election_timer=16000)
    assert [finding.kind for finding in faults(lint(slow))] == [Kind.CONTRADICTION]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("ovn", [(23, 3), (24, 3), (25, 3), (26, 3)])
def test_profile_is_without_fault_once_what_is_dead_is_left_out(profile: str, ovn: Version) -> None:
    values = [(entry.knob, entry.value) for entry in PROFILES[profile]]
    facts = facts_of_values(values, ovn=ovn, ovs=(3, 5))
    assert not [finding for finding in faults(lint(facts)) if finding.kind is not Kind.DEAD]


def test_override_of_this_chassis_is_judged_too() -> None:
    facts = facts_of_values([("ovn-remote-probe-interval", "10000")], ovn=NEW)
    (row,) = facts.rows("Open_vSwitch", "Open_vSwitch")
    external_ids = {**row.columns["external_ids"], "system-id": "c1", "ovn-remote-probe-interval-c1": "60"}
    held = type(row)(row.uuid, ".", {"external_ids": external_ids})
    (fault,) = faults(lint(Facts(facts.versions, {("Open_vSwitch", "Open_vSwitch"): (held,)})))
    assert fault.place == "Open_vSwitch.external_ids:ovn-remote-probe-interval-c1"


@pytest.mark.parametrize("text", ["1_000", " 5", "٣", "0x10", ""])
def test_number_that_only_python_reads_is_none(text: str) -> None:
    assert effect(KNOBS["ovn-limit-lflow-cache"], text) is None


def test_of_a_dump_nobody_can_say_whether_the_kernel_leaves_handlers_to_the_knob() -> None:
    dump = facts_of_values([("n-handler-threads", "10")], ovs=(3, 1))
    (found,) = lint(dump)
    assert found.kind is Kind.UNSURE
    assert "per CPU" in found.does
    (found,) = lint(replace(dump, at_the_node=True))
    assert found.kind is Kind.EFFECTIVE

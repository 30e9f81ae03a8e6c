"""What lint says of settings, without a node."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ovsnet.node.version import Version
from ovsnet.ovsdb.values import NO_UUID
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, FoundRow
from ovsnet.tune.finding import Kind, LintResult, effect
from ovsnet.tune.lint import faults, harmful, lint
from ovsnet.tune.offline import facts_of_values
from ovsnet.tune.profiles import PROFILES

NEW: Version = (26, 3)


def found(*values: tuple[str, str], ovn: Version | None = NEW, ovs: Version | None = (3, 5)) -> dict[str, LintResult]:
    return {finding.knob: finding for finding in lint(facts_of_values(values, ovn=ovn, ovs=ovs))}


KUBE_OVN = (("ovn-remote-probe-interval", "10000"), ("ovn-openflow-probe-interval", "180"))


def test_kube_ovn_is_silent_on_23_03() -> None:
    assert not faults(lint(facts_of_values(KUBE_OVN, ovn=(23, 3, 1))))


@pytest.mark.parametrize("version", [(24, 3), (24, 3, 2), (24, 9), (25, 3), (26, 3)])
def test_kube_ovns_openflow_interval_is_dead_from_24_03_and_a_harmless_leftover(version: Version) -> None:
    """Upstream took it away on purpose: what it was for needs no knob."""
    (fault,) = faults(lint(facts_of_values(KUBE_OVN, ovn=version)))
    assert (fault.kind, fault.knob) == (Kind.DEAD, "ovn-openflow-probe-interval")
    assert (fault.instead, fault.harmless) == ("remove it", True)
    assert not harmful([fault])


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
    fault, shadowed = faults(lint(Facts(facts.versions, {("Open_vSwitch", "Open_vSwitch"): (held,)})))
    assert (fault.kind, fault.place) == (
        Kind.WRONG_UNIT,
        "Open_vSwitch.external_ids:ovn-remote-probe-interval-c1",
    )
    assert (shadowed.kind, shadowed.knob, shadowed.harmless) == (Kind.SHADOWED, "ovn-remote-probe-interval", True)
    assert "ovn-remote-probe-interval-c1 instead" in shadowed.does


@pytest.mark.parametrize("text", ["1_000", "5 ", "٣", "0x10", ""])
def test_number_that_only_python_reads_is_none(text: str) -> None:
    assert effect(KNOBS["ovn-limit-lflow-cache"], text) is None


def test_of_a_dump_nobody_can_say_whether_the_kernel_leaves_handlers_to_the_knob() -> None:
    dump = facts_of_values([("n-handler-threads", "10")], ovs=(3, 1))
    (found,) = lint(dump)
    assert found.kind is Kind.UNSURE
    assert "per CPU" in found.does
    (found,) = lint(replace(dump, at_the_node=True))
    assert found.kind is Kind.EFFECTIVE
    why = "The kernel has a handler per CPU."
    (found,) = lint(replace(dump, at_the_node=True, overridden={"n-handler-threads": why}))
    assert (found.kind, found.does) == (Kind.DEAD, why)


def test_number_after_blanks_is_read_as_strtoll_reads_it() -> None:
    assert effect(KNOBS["ovn-limit-lflow-cache"], " 5") == 5


@pytest.mark.parametrize(
    ("knob", "text", "default"),
    [
        ("ovn-remote-probe-interval", "99999999999", 5000),
        ("ovn-remote-probe-interval", "2147483648", 5000),
        ("ovn-remote-probe-interval", "2147483647", 2147483647),
        ("flow-limit", "4294967295", 4294967295),
        ("flow-limit", "4294967296", 200000),
        ("ovn-bridge-remote-probe-interval", "2147483648", 2147483000),
    ],
)
def test_number_beyond_the_type_of_its_reader_is_the_default(knob: str, text: str, default: int) -> None:
    """OVS lib/util.c, str_to_int(), str_to_uint(), str_to_ullong()."""
    assert effect(KNOBS[knob], text) == default
    if int(text) != default and default < 10**6:
        finding = found((knob, text))[knob]
        assert (finding.kind, finding.is_harmful) == (Kind.NOT_A_VALUE, True)
        assert "so large" in finding.does


@pytest.mark.parametrize(
    ("version", "acts"),
    [
        ((21, 12, 2), False),
        ((22, 3, 0), False),
        ((22, 3, 1), False),
        ((22, 3, 2), True),
        ((22, 6), True),
        ((25, 9), False),
    ],
)
def test_wait_before_clear_came_with_22_03_2(version: Version, acts: bool) -> None:
    """ovn tags: v21.12.0 to v21.12.2, v22.03.0 and v22.03.1 lack it; controller/ofctrl.c of v22.03.2 reads it."""
    assert KNOBS["ovn-ofctrl-wait-before-clear"].acts_on(version) is acts


def test_version_without_its_last_number_leaves_it_open() -> None:
    finding = found(("ovn-ofctrl-wait-before-clear", "8000"), ovn=(22, 3))["ovn-ofctrl-wait-before-clear"]
    assert finding.kind is Kind.UNSURE
    assert "whole version" in finding.does


def test_value_that_acts_and_that_nobody_means_is_out_of_range() -> None:
    finding = found(("flow-limit", "10"))["flow-limit"]
    assert (finding.kind, finding.is_harmful) == (Kind.OUT_OF_RANGE, True)


def test_no_consumer_is_harmless_once_the_wish_is_set_where_it_counts() -> None:
    (alone,) = faults(lint(facts_of_values([("nb-options-inactivity-probe", "180000")], ovn=NEW)))
    assert alone.is_harmful
    both = [("nb-options-inactivity-probe", "180000"), ("nb-inactivity-probe", "180000")]
    (fulfilled,) = faults(lint(facts_of_values(both, ovn=NEW)))
    assert (fulfilled.harmless, fulfilled.instead) == (True, "remove it")


GLOBALS = (("OVN_Northbound", "NB_Global"), ("OVN_Southbound", "SB_Global"))


def switch(external_ids: dict[str, str], other_config: dict[str, str] | None = None) -> Facts:
    chassis = {"system-id": "c1", "ovn-encap-type": "geneve", "ovn-encap-ip": "192.0.2.9"}
    columns = {"external_ids": {**chassis, **external_ids}, "other_config": other_config or {}}
    return Facts({"ovn-controller": NEW}, {("Open_vSwitch", "Open_vSwitch"): (FoundRow(NO_UUID, ".", columns),)})


def with_listener(facts: Facts, target: str, probe: str | None) -> Facts:
    row = FoundRow(NO_UUID, target, {"target": target, "inactivity_probe": probe})
    return replace(facts, tables={**facts.tables, ("OVN_Southbound", "Connection"): (row,)})


@pytest.mark.parametrize(
    ("remote", "listener", "server", "client", "contradicts"),
    [
        ("tcp:192.0.2.1:6642", "ptcp:6642:0.0.0.0", "5000", "100000", True),
        ("tcp:192.0.2.1:6642", "ptcp:6642", None, "100000", True),
        ("tcp:192.0.2.1:6642,tcp:192.0.2.2:6642", "ptcp:6642:192.0.2.2", "5000", "100000", True),
        # a short client and a long server is a common choice: the client looks for another server
        ("tcp:192.0.2.1:6642", "ptcp:6642", "180000", "10000", False),
        ("tcp:192.0.2.1:6642", "ptcp:6642", "60000", "100000", False),
        # who does not talk over that listener
        ("unix:/run/ovn/ovnsb_db.sock", "ptcp:6642", "5000", "100000", False),
        ("ssl:192.0.2.1:6642", "ptcp:6642", "5000", "100000", False),
        ("tcp:192.0.2.1:16642", "ptcp:6642", "5000", "100000", False),
        ("tcp:192.0.2.1:6642", "ptcp:6642:127.0.0.1", "5000", "100000", False),
        ("", "ptcp:6642", "5000", "100000", False),
    ],
)
def test_server_contradicts_only_the_client_that_talks_to_it_and_is_more_patient(
    remote: str, listener: str, server: str | None, client: str, contradicts: bool
) -> None:
    held = {"ovn-remote": remote} if remote else {}
    facts = with_listener(switch({**held, "ovn-remote-probe-interval": client}), listener, server)
    found = [each for each in lint(facts) if each.kind is Kind.CONTRADICTION]
    assert [each.knob for each in found] == (["sb-inactivity-probe"] if contradicts else [])


def test_probes_of_northd_are_held_against_the_election_timer_too() -> None:
    facts = facts_of_values([("northd_probe_interval", "10000")], ovn=NEW)
    (fault,) = faults(lint(replace(facts, election_timer=16000)))
    assert (fault.kind, fault.knob) == (Kind.CONTRADICTION, "northd_probe_interval")


def test_probe_that_northd_copies_to_the_southbound_is_told_once_and_of_the_northbound() -> None:
    options = {"options": {"northd_probe_interval": "10000"}}
    rows = {(database, table): (FoundRow(NO_UUID, ".", options),) for database, table in GLOBALS}
    facts = Facts({"ovn-northd": NEW, "ovn-controller": NEW}, rows, election_timer=16000)
    (fault,) = faults(lint(facts))
    assert (fault.kind, fault.knob) == (Kind.CONTRADICTION, "northd_probe_interval")
    assert "NB_Global" in fault.place


@pytest.mark.parametrize(("text", "harmless"), [("5000", False), ("180000", True)])
def test_probe_of_a_unix_socket_is_needless_and_harmful_where_it_is_short(text: str, harmless: bool) -> None:
    (fault,) = faults(lint(switch({"ovn-remote": "unix:/s.sock", "ovn-remote-probe-interval": text})))
    assert (fault.kind, fault.harmless) == (Kind.NEEDLESS, harmless)


def test_flow_restore_wait_that_is_left_on_is_dangerous() -> None:
    (fault,) = faults(lint(switch({}, {"flow-restore-wait": "true"})))
    assert (fault.kind, fault.instead) == (Kind.DANGEROUS, "remove it once the flows are restored")


def test_flow_restore_wait_that_ovn_set_by_itself_names_the_versions_without() -> None:
    (marked,) = faults(lint(switch({"ovn-managed-flow-restore-wait": "true"}, {"flow-restore-wait": "true"})))
    of_version = replace(switch({}, {"flow-restore-wait": "true"}), versions={"ovn-controller": (26, 3, 1)})
    (known,) = faults(lint(of_version))
    for fault in (marked, known):
        assert "FDP-3862" in fault.does
        assert "26.03.2" in fault.instead

"""What lint says of keys that are not knobs."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ovsnet.node.version import Version
from ovsnet.ovsdb.values import NO_UUID
from ovsnet.tune.facts import Facts, FoundRow
from ovsnet.tune.finding import Kind, LintResult
from ovsnet.tune.keys import KEYS
from ovsnet.tune.keys.key import CONFIG_FILE, Key, anything
from ovsnet.tune.lint import lint


def lint_of(column: str, key: str, value: str) -> list[LintResult]:
    return lint_row("Open_vSwitch", "Open_vSwitch", {column: {key: value}})


def lint_row(
    database: str, table: str, columns: Mapping[str, object], ovn: Version | None = (26, 3)
) -> list[LintResult]:
    ours = {"ovn-controller": ovn, "ovn-northd": ovn, "ovs-vswitchd": (3, 5), "ovsdb-server": (3, 5)}
    versions = {reader: version for reader, version in ours.items() if version}
    found = lint(Facts(versions, {(database, table): (FoundRow(NO_UUID, ".", columns),)}))
    return [each for each in found if each.kind is not Kind.MISSING]


@pytest.mark.parametrize(
    ("column", "key", "kind", "instead"),
    [
        ("other_config", "ovn-remote-probe-interval", Kind.MISPLACED, "external_ids:ovn-remote-probe-interval"),
        ("external_ids", "n-handler-threads", Kind.MISPLACED, "other_config:n-handler-threads"),
        ("external_ids", "flow-restore-wait", Kind.MISPLACED, "other_config:flow-restore-wait"),
        ("external_ids", "pmd-cpu-mask", Kind.MISPLACED, "other_config:pmd-cpu-mask"),
        ("other_config", "ovn-remote", Kind.MISPLACED, "external_ids:ovn-remote"),
        ("external_ids", "ovn_remote_probe_interval", Kind.MISSPELT, "external_ids:ovn-remote-probe-interval"),
        ("external_ids", "ovn-remote-probe-intervall", Kind.MISSPELT, "external_ids:ovn-remote-probe-interval"),
        ("external_ids", "ovn-encap-typ", Kind.MISSPELT, "external_ids:ovn-encap-type"),
        ("other_config", "n-handlers-threads", Kind.MISSPELT, "other_config:n-handler-threads"),
        ("other_config", "max-idel", Kind.MISSPELT, "other_config:max-idle"),
        ("external_ids", "northd_probe_interval", Kind.MISPLACED, "options:northd_probe_interval"),
    ],
)
def test_key_that_nothing_reads_there_is_told_with_the_one_that_was_meant(
    column: str, key: str, kind: Kind, instead: str
) -> None:
    (found,) = lint_of(column, key, "10")
    assert (found.kind, found.is_harmful) == (kind, True)
    assert instead in found.instead


@pytest.mark.parametrize(
    ("column", "key", "value"),
    [
        ("external_ids", "ovn-remote", "192.0.2.100"),
        ("external_ids", "ovn-remote", "tcp:192.0.2.100:66420"),
        ("external_ids", "ovn-encap-type", "genev"),
        ("external_ids", "ovn-encap-ip", "node-1"),
        ("external_ids", "ovn-encap-csum", "yes"),
        ("external_ids", "ovn-encap-tos", "high"),
        ("external_ids", "ovn-encap-df_default", "1"),
        ("external_ids", "ovn-bridge-mappings", "physnet1"),
        ("external_ids", "ovn-bridge-mappings", "physnet1:br-ex, physnet2:br-2"),
        ("external_ids", "ovn-chassis-mac-mappings", "physnet1"),
        ("external_ids", "ovn-bridge-datapath-type", "kernel"),
        ("external_ids", "ovn-bridge-remote", "br-int.mgmt"),
        ("external_ids", "ovn-is-interconn", "on"),
        ("external_ids", "ovn-cleanup-on-exit", "no"),
        ("external_ids", "ovn-enable-flow-based-tunnels", "1"),
        ("external_ids", "ct-zone-range", "100"),
        ("external_ids", "garp-max-timeout-sec", "1m"),
        ("external_ids", "arp-nd-max-timeout-sec", "x"),
        ("other_config", "hw-offload", "yes"),
        ("other_config", "tc-policy", "hw"),
        ("other_config", "userspace-tso-enable", "1"),
        ("other_config", "dpdk-init", "yes"),
        ("other_config", "dpdk-socket-mem", "1GB"),
        ("other_config", "dpdk-lcore-mask", "0-3"),
        ("other_config", "pmd-cpu-mask", "zz"),
        ("other_config", "pmd-cpu-mask", "0x0"),
        ("other_config", "n-offload-threads", "99"),
        ("other_config", "offloaded-stats-delay", "2s"),
        ("other_config", "vlan-limit", "two"),
    ],
)
def test_value_that_its_daemon_cannot_use_is_none(column: str, key: str, value: str) -> None:
    (found,) = lint_of(column, key, value)
    assert (found.kind, found.is_harmful) == (Kind.NOT_A_VALUE, True)
    assert found.place.endswith(f"{column}:{key}")


def test_what_is_right_and_what_is_somebody_elses_makes_no_finding() -> None:
    external_ids = {
        "hostname": "node-1",
        "system-id": "c1",
        "rundir": "/run/openvswitch",
        "ovn-remote": "ssl:[2001:db8::1]:6642,tcp:db.example:6642",
        "ovn-remote-c1": "tcp:192.0.2.1:6642",
        "ovn-encap-type": "geneve,vxlan",
        "ovn-encap-ip": "192.0.2.1,2001:db8::1",
        "ovn-encap-ip-other": "192.0.2.9",
        "ovn-encap-tos": "0x10",
        "ovn-bridge-mappings": "physnet1:br-ex,vlan:br-vlan",
        "ovn-chassis-mac-mappings": "physnet1:aa:bb:cc:dd:ee:ff",
        "ovn-cms-options": "enable-chassis-as-gw",
        "ct-zone-range": "100-65535",
        "ct-zone-lr0_dnat": "7",
        "xs-network-uuid": "17",
    }
    other_config = {
        "ovn-chassis-idx-c1": "",
        "vlan-limit": "0",
        "hw-offload": "true",
        "dpdk-init": "try",
        "dpdk-socket-mem": "1024,0",
        "pmd-cpu-mask": "0x2",
        "dpdk-lcore-mask": "1",
    }
    assert not lint_row("Open_vSwitch", "Open_vSwitch", {"external_ids": external_ids, "other_config": other_config})


def test_unknown_key_of_ours_to_judge_is_said_to_be_unknown() -> None:
    (found,) = lint_of("other_config", "dpdk-pmd-driver", "/lib64/x.so")
    assert (found.kind, found.kind.is_fault) == (Kind.UNSURE, False)


def northbound(key: str, value: str, ovn: Version | None) -> list[LintResult]:
    return lint_row("OVN_Northbound", "NB_Global", {"options": {key: value}}, ovn=ovn)


@pytest.mark.parametrize(
    ("key", "ovn", "kind", "harmless"),
    [
        # northd/northd.c reads it in branch-20.12 to branch-22.06; always on after that
        ("use_logical_dp_groups", (22, 9), Kind.DEAD, True),
        ("use_logical_dp_groups", (22, 6), None, False),
        ("use_logical_dp_groups", None, Kind.UNSURE, False),
        # northd/ovn-northd.c reads it in branch-21.06 to branch-22.03
        ("use_parallel_build", (22, 6), Kind.DEAD, False),
        ("use_parallel_build", (22, 3), None, False),
        ("northd-backoff-interval-ms", (23, 6), Kind.DEAD, False),
        ("enable_chassis_nb_cfg_update", (25, 3), Kind.DEAD, False),
        ("nbctl_probe_interval", (23, 3), Kind.DEAD, False),
    ],
)
def test_option_of_northd_lives_where_its_branch_reads_it(
    key: str, ovn: Version | None, kind: Kind | None, harmless: bool
) -> None:
    value = "true" if key.startswith(("use", "enable")) else "3000"
    found = northbound(key, value, ovn)
    assert [(each.kind, each.harmless) for each in found] == ([(kind, harmless)] if kind else [])


@pytest.mark.parametrize(
    ("key", "tag", "known"),
    [
        ("acl_ct_translation", (24, 3, 7), False),
        ("acl_ct_translation", (24, 3, 8), True),
        ("acl_ct_translation", (24, 9, 3), False),
        ("acl_ct_translation", (25, 3, 2), False),
        ("acl_ct_translation", (25, 3, 3), True),
        ("acl_ct_translation", (26, 3, 0), True),
        ("acl_ct_translation", (24, 3), None),
        ("garp-max-timeout-sec", (22, 3, 5), False),
        ("garp-max-timeout-sec", (22, 3, 6), True),
        ("garp-max-timeout-sec", (22, 12, 2), False),
        ("garp-max-timeout-sec", (23, 6, 3), True),
        ("garp-max-timeout-sec", (23, 9, 0), True),
        ("ipsec_encapsulation", (22, 6, 0), False),
        ("ipsec_encapsulation", (22, 6, 1), True),
        ("svc_monitor_ip", (25, 9, 4), False),
    ],
)
def test_key_is_known_on_the_tags_whose_sources_have_it(key: str, tag: Version, known: bool | None) -> None:
    (found,) = (each for each in KEYS if each.place.key == key)
    assert found.acts_on(tag) is known


def test_dead_parallel_build_names_the_threads_of_today() -> None:
    (found,) = northbound("use_parallel_build", "true", (24, 3))
    assert "--n-threads" in found.instead
    assert northbound("use_parallel_build", "false", (24, 3))[0].harmless


@pytest.mark.parametrize("key", ["nbctl_probe_interval", "ic_probe_interval"])
def test_probe_in_seconds_is_in_the_wrong_unit(key: str) -> None:
    (found,) = northbound(key, "60", (25, 3))
    assert (found.kind, found.instead) == (Kind.WRONG_UNIT, f"{key}=60000")


def test_options_that_northd_copies_to_the_southbound_are_not_misplaced() -> None:
    options = {"northd_probe_interval": "5000", "mac_prefix": "0a:00:00", "use_logical_dp_groups": "true"}
    assert not lint_row("OVN_Southbound", "SB_Global", {"options": options})


def test_vlan_limit_beside_ovn_is_overwritten() -> None:
    """edpm-ansible #425; OVN controller/ovn-controller.c of 21.09 and later."""
    columns = {"external_ids": {"ovn-remote": "tcp:192.0.2.1:6642"}, "other_config": {"vlan-limit": "2"}}
    (found,) = lint_row("Open_vSwitch", "Open_vSwitch", columns)
    assert "writes 0 over it" in found.does
    assert not lint_row("Open_vSwitch", "Open_vSwitch", columns, ovn=(21, 6))
    assert not lint_of("other_config", "vlan-limit", "2")


def test_masks_that_share_a_cpu_contradict() -> None:
    masks = {"dpdk-init": "true", "pmd-cpu-mask": "0x6", "dpdk-lcore-mask": "0x3"}
    (found,) = lint_row("Open_vSwitch", "Open_vSwitch", {"other_config": masks})
    assert found.kind is Kind.CONTRADICTION
    masks["dpdk-lcore-mask"] = "0x1"
    assert not lint_row("Open_vSwitch", "Open_vSwitch", {"other_config": masks})


def test_bridge_is_judged_too() -> None:
    (found,) = lint_row("Open_vSwitch", "Bridge", {"other_config": {"mac-ageing-time": "300"}})
    assert "mac-aging-time" in found.instead


@pytest.mark.parametrize("key", KEYS, ids=lambda each: str(each.place))
def test_declaration_says_whence_and_what_becomes_of_a_wrong_value(key: Key) -> None:
    assert key.source
    assert key.form is anything or key.misread.endswith(".")
    assert not key.gone or key.until


@pytest.mark.parametrize(
    ("active", "passive", "found"), [("60000", "60000", 1), ("120000", "60000", 0), ("0", "60000", 0)]
)
def test_probe_of_a_relay_is_to_be_twice_that_of_its_server(active: str, passive: str, found: int) -> None:
    source = FoundRow(NO_UUID, "tcp:192.0.2.1:6642", {"target": "tcp:192.0.2.1:6642", "inactivity_probe": active})
    server = FoundRow(NO_UUID, "ptcp:6642", {"target": "ptcp:6642", "inactivity_probe": passive})
    facts = Facts(tables={(CONFIG_FILE, "source"): (source,), ("OVN_Southbound", "Connection"): (server,)})
    assert [each.kind for each in lint(facts) if each.kind.is_fault] == [Kind.CONTRADICTION] * found


def test_configuration_of_a_server_in_seconds_is_in_the_wrong_unit() -> None:
    for database, table in ((CONFIG_FILE, "remotes"), (CONFIG_FILE, "source"), ("Local_Config", "Connection")):
        row = FoundRow(NO_UUID, "ptcp:6642", {"target": "ptcp:6642", "inactivity_probe": "60"})
        (found,) = lint(Facts(tables={(database, table): (row,)}))
        assert (found.kind, found.is_harmful) == (Kind.WRONG_UNIT, True)


def test_mapping_behind_an_empty_one_is_lost() -> None:
    """strsep() of controller/patch.c stops there."""
    (found,) = lint_of("external_ids", "ovn-bridge-mappings", "a:br-a,,b:br-b")
    assert found.kind is Kind.NOT_A_VALUE
    assert not lint_of("external_ids", "ovn-bridge-mappings", "a:br-a,b:br-b,")

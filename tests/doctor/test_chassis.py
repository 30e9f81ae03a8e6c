"""What ovn-controller is told, and whether this host fits it."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree

CHASSIS = {"ovn-remote": "tcp:192.0.2.1:6642", "system-id": "a", "ovn-encap-type": "geneve", "ovn-encap-ip": "10.0.0.1"}

FIB = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 10.0.0.1
        /32 host LOCAL
"""


@pytest.mark.parametrize(
    ("lacks", "override", "severity"),
    [
        ((), "", Severity.OK),
        (("ovn-encap-ip",), "", Severity.WARNING),
        (("system-id",), "", Severity.WARNING),
        (("system-id",), "b\n", Severity.OK),
        (("system-id",), "\n", Severity.WARNING),
        (tuple(CHASSIS), "", Severity.OK),
    ],
)
def test_chassis_has_what_it_needs(tree: Tree, lacks: tuple[str, ...], override: str, severity: Severity) -> None:
    if override:
        tree.write("/etc/ovn/system-id-override", override)
    tree.database(external_ids={key: value for key, value in CHASSIS.items() if key not in lacks})
    found = tree.one("chassis.settings")
    assert found.severity is severity
    if severity is Severity.WARNING:
        assert all(f"external_ids:{key}" in found.summary for key in lacks)


@pytest.mark.parametrize(
    ("addresses", "severity"),
    [("10.0.0.1", Severity.OK), ("10.0.0.1,10.0.0.2", Severity.WARNING), ("", Severity.OK)],
)
def test_address_of_the_tunnels_is_on_an_interface(tree: Tree, addresses: str, severity: Severity) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/net/fib_trie", FIB)
    tree.database(external_ids={**CHASSIS, "ovn-encap-ip": addresses})
    found = tree.one("encap.address")
    assert found.severity is severity
    assert ("10.0.0.2" in found.summary) is (severity is Severity.WARNING)


def test_address_is_not_judged_where_the_switchs_network_is_not_seen(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.database(external_ids=CHASSIS)
    assert tree.one("encap.address").severity is Severity.UNSEEN


@pytest.mark.parametrize(
    ("mappings", "severity"),
    [
        ("physnet1:br-ex", Severity.OK),
        ("physnet1:br-ex,physnet2:br-no", Severity.WARNING),
        ("physnet1:br-ex, physnet2:br-ex", Severity.WARNING),
        ("physnet1", Severity.WARNING),
    ],
)
def test_mapped_networks_have_their_bridges(tree: Tree, mappings: str, severity: Severity) -> None:
    tree.database(external_ids={**CHASSIS, "ovn-bridge-mappings": mappings}, bridges={"br-ex": ""})
    found = tree.one("bridge.mappings")
    assert found.severity is severity
    assert bool(found.evidence) is (severity is Severity.WARNING)


def test_nothing_is_said_of_settings_that_nobody_can_see(tree: Tree) -> None:
    for code in ("chassis.settings", "encap.address", "bridge.mappings"):
        assert tree.one(code).severity is Severity.UNSEEN


def test_keys_of_another_chassis_of_this_host_are_not_this_ones(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/net/fib_trie", FIB)
    others = {"ovn-encap-ip-b": "10.0.0.2", "ovn-bridge-mappings-b": "physnet:br-b"}
    tree.database(external_ids={**CHASSIS, **others})
    for code in ("chassis.settings", "encap.address", "bridge.mappings"):
        assert tree.one(code).severity is Severity.OK

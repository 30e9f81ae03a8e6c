"""The names of the node, now and after the next start."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree

FILE = "/etc/openvswitch/system-id.conf"


@pytest.fixture
def packaged(tree: Tree) -> Tree:
    """A host with a package's ovs-ctl, whose chassis is called c1."""
    tree.write("/usr/share/openvswitch/scripts/ovs-ctl")
    tree.database(external_ids={"system-id": "c1"})
    return tree


def test_without_ovs_ctl_nobody_changes_the_name(tree: Tree) -> None:
    assert tree.one("system-id.persisted").severity is Severity.OK


def test_name_that_no_database_tells_is_unseen(tree: Tree) -> None:
    tree.write("/usr/share/openvswitch/scripts/ovs-ctl")
    assert tree.one("system-id.persisted").severity is Severity.UNSEEN


@pytest.mark.parametrize(
    ("kept", "said"),
    [("c1", ""), ("c2", "holds c2"), (None, "is absent")],
)
def test_name_that_will_change_is_warned_of(packaged: Tree, kept: str | None, said: str) -> None:
    if kept is not None:
        packaged.write(FILE, f"{kept}\n")
    found = packaged.one("system-id.persisted")
    assert found.severity is (Severity.WARNING if said else Severity.OK)
    if said:
        assert f"{FILE} {said}" in found.summary
        assert found.remedy == f"Keep the name: echo c1 > {FILE}."


@pytest.mark.parametrize(
    ("options", "severity"),
    [('OVS_CTL_OPTS="--system-id=c1"', Severity.OK), ('OVS_CTL_OPTS="--system-id=random"', Severity.WARNING)],
)
def test_name_that_is_given_to_ovs_ctl_needs_no_file(packaged: Tree, options: str, severity: Severity) -> None:
    packaged.write("/etc/default/openvswitch-switch", f"{options}\n")
    assert packaged.one("system-id.persisted").severity is severity


@pytest.mark.parametrize(
    ("named", "said"),
    [("n1", ""), ("", ""), ("n1.example.org", "by another form of its name"), ("n2", "by another name")],
)
def test_host_name_unlike_the_chassis_is_noted(tree: Tree, named: str, said: str) -> None:
    tree.write("/proc/sys/kernel/hostname", "n1\n")
    tree.database(external_ids={"hostname": named})
    found = tree.one("chassis.hostname")
    assert found.severity is (Severity.NOTE if said else Severity.OK)
    assert said in found.summary


def test_file_of_the_host_counts_where_our_own_name_is_a_containers(tree: Tree) -> None:
    tree.write("/proc/sys/kernel/hostname", "pod-x\n")
    tree.write("/etc/hostname", "n1\n")
    tree.database(external_ids={"hostname": "n1"})
    assert tree.one("chassis.hostname").severity is Severity.OK

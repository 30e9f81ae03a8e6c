"""Versions, and the defects that are known of them."""

import json

import pytest

from ovsnet.doctor import Live, Severity
from ovsnet.doctor.known_defects import DEFECTS, defects
from ovsnet.node.version import parse_version, shown
from ovsnet.tune.catalogue import KNOBS

from .conftest import Denied, Tree

CONTAINERD = "/run/containerd/io.containerd.runtime.v2.task/k8s.io"


def container(tree: Tree, image: str, directory: str = CONTAINERD, file: str = "config.json") -> None:
    specification = {"annotations": {"io.kubernetes.cri.image-name": image}}
    tree.write(f"{directory}/{abs(hash(image))}/{file}", json.dumps(specification))


@pytest.mark.parametrize(
    ("text", "version", "written"),
    [
        ("ovs-vswitchd (Open vSwitch) 3.1.0", (3, 1, 0), "3.1.0"),
        ("ovn-controller 23.03.1", (23, 3, 1), "23.03.1"),
        ("3.10.0-862.14.4.el7.x86_64", (3, 10, 0, 862, 14, 4), "3.10.0-862"),
    ],
)
def test_versions_are_read_and_written_as_people_do(text: str, version: tuple[int, ...], written: str) -> None:
    assert parse_version(text) == version
    assert shown(version) == written


def test_text_without_a_version_has_none() -> None:
    assert parse_version("custom 4") is None


def test_every_defect_has_a_range_a_source_and_a_remedy() -> None:
    for row in DEFECTS:
        assert row.first < row.fixed_in
        assert row.source
        assert row.remedy.endswith(".")


@pytest.mark.parametrize(("version", "severity"), [("2.13.8", Severity.NOTE), ("2.15.0", Severity.OK)])
def test_open_vswitch_is_judged(tree: Tree, version: str, severity: Severity) -> None:
    assert tree.one("version.ovs").severity is Severity.UNSEEN
    tree.database(ovs_version=version)
    assert tree.one("version.ovs").severity is severity


def test_switch_that_was_upgraded_but_not_restarted_is_noted(tree: Tree) -> None:
    tree.database(ovs_version="3.3.1")
    tree.live = Live(tree.live.database, {"ovs-vswitchd": "ovs-vswitchd (Open vSwitch) 3.1.0"})
    assert [each.severity for each in tree.look("version.ovs")] == [Severity.OK, Severity.NOTE]


@pytest.mark.parametrize(
    ("version", "notes"), [("21.12.0", 1), ("23.03.1", 1), ("24.03.2", 2), ("24.09.0", 1), ("25.09.0", 0)]
)
def test_ovn_is_judged(tree: Tree, version: str, notes: int) -> None:
    tree.live = Live(versions={"ovn-controller": f"ovn-controller {version}"})
    found = tree.look("version.ovn")
    assert [each.severity for each in found] == ([Severity.NOTE] * notes or [Severity.OK])


def test_node_without_ovn_has_no_version_of_it(tree: Tree) -> None:
    assert tree.one("version.ovn").severity is Severity.UNSEEN
    tree.database()
    assert tree.one("version.ovn").severity is Severity.OK
    tree.database(external_ids={"ovn-remote": "tcp:1.2.3.4:6642"})
    assert tree.one("version.ovn").severity is Severity.UNSEEN


@pytest.mark.parametrize(
    ("image", "severity"),
    [
        ("docker.io/kubeovn/kube-ovn:v1.12.16", Severity.WARNING),
        ("docker.io/kubeovn/kube-ovn:v1.12.17", Severity.OK),
        ("reg:5000/kubeovn/kube-ovn-dpdk:v1.11.0-dpdk", Severity.WARNING),
        ("docker.io/kubeovn/kube-ovn:v1.13.2-x86", Severity.OK),
        ("docker.io/library/nginx:1.12.1", Severity.OK),
    ],
)
@pytest.mark.parametrize(
    ("directory", "file"),
    [
        (CONTAINERD, "config.json"),
        ("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json"),
        ("/run/containers/storage/overlay-containers", "userdata/config.json"),
        ("/var/lib/docker/containers", "config.v2.json"),
    ],
)
def test_kube_ovn_is_seen_in_the_images_of_its_containers(
    tree: Tree, image: str, severity: Severity, directory: str, file: str
) -> None:
    container(tree, image, directory, file)
    assert tree.one("version.kube-ovn").severity is severity


def test_oldest_of_two_versions_counts(tree: Tree) -> None:
    container(tree, "kubeovn/kube-ovn:v1.12.2")
    container(tree, "kubeovn/kube-ovn:v1.13.0")
    found = tree.one("version.kube-ovn")
    assert found.severity is Severity.WARNING
    assert "1.12.2" in found.summary


def test_kube_ovn_without_a_version_is_unseen(tree: Tree, deny: Denied) -> None:
    assert tree.one("version.kube-ovn").severity is Severity.OK
    tree.write("/etc/cni/net.d/01-kube-ovn.conflist", "{}")
    found = tree.one("version.kube-ovn")
    assert found.severity is Severity.UNSEEN
    assert "/etc/cni/net.d/01-kube-ovn.conflist" in found.evidence
    deny(CONTAINERD)
    assert tree.one("version.kube-ovn").severity is Severity.UNSEEN


DPKG = "Package: openvswitch-switch\nStatus: install ok installed\nVersion: {}\n"


@pytest.mark.parametrize(
    ("running", "installed", "severity"),
    [
        ("ovs-vswitchd (Open vSwitch) 3.1.0", "3.1.0-2+deb12u1", Severity.OK),
        ("ovs-vswitchd (Open vSwitch) 3.1.0", "3.1.2-1", Severity.NOTE),
        ("", "3.1.2-1", Severity.OK),
    ],
)
def test_package_that_was_upgraded_without_a_restart_is_noted(
    tree: Tree, running: str, installed: str, severity: Severity
) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.live = Live(versions={"ovs-vswitchd": running})
    tree.write("/var/lib/dpkg/status", DPKG.format(installed))
    assert tree.one("version.installed").severity is severity


def test_host_on_which_nothing_runs_is_judged_by_its_packages(tree: Tree) -> None:
    tree.write("/var/lib/dpkg/status", DPKG.format("3.3.0-1"))
    found = tree.one("version.ovs")
    assert (found.severity, found.evidence) == (Severity.OK, ("openvswitch-switch 3.3.0-1",))


def test_daemon_of_a_container_is_no_package_of_the_host(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    tree.live = Live(versions={"ovs-vswitchd": "ovs-vswitchd (Open vSwitch) 3.1.0"})
    tree.write("/var/lib/dpkg/status", DPKG.format("2.13.0-1"))
    for pid in (1, 100):
        tree.path(f"/proc/{pid}/ns").mkdir(parents=True)
        tree.path(f"/proc/{pid}/ns/mnt").symlink_to(f"mnt:[{pid}]")
    assert tree.one("version.installed").severity is Severity.OK


@pytest.mark.parametrize(
    ("version", "has"),
    [
        ((24, 3, 7), False),
        ((24, 3, 8), True),
        ((24, 3, 9), False),
        ((25, 3, 3), True),
        ((25, 9, 3), True),
        ((25, 9, 4), False),
        ((26, 3, 0), False),
        ((26, 3, 1), True),
        ((26, 3, 2), False),
    ],
)
def test_ovn_that_sets_flow_restore_wait_by_itself_is_known_by_its_tags(version: tuple[int, ...], has: bool) -> None:
    """Found by ``git grep 'Setting flow-restore-wait=true'`` in each tag."""
    assert any("flow-restore-wait" in found.summary for found in defects("OVN", version)) is has


@pytest.mark.parametrize(
    ("version", "word"), [((22, 3, 1), "cannot be told"), ((22, 3, 2), "unless it is told"), ((25, 9), "")]
)
def test_ovn_that_can_be_told_to_wait_is_as_the_catalogue_has_it(version: tuple[int, ...], word: str) -> None:
    found = [each.summary for each in defects("OVN", version) if "clears the switch's flows" in each.summary]
    assert [word in summary for summary in found] == ([True] if word else [])
    assert KNOBS["ovn-ofctrl-wait-before-clear"].acts_on(version) is ("unless" in word)

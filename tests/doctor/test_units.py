"""Units that wait for ovs-vswitchd before it may start."""

import pytest

from ovsnet.doctor import Severity
from ovsnet.doctor.units import waits

from .conftest import Tree


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("ovs-vsctl add-br br0", True),
        ("-/usr/bin/ovs-vsctl --may-exist add-br br0", True),
        ("/usr/bin/ovs-vsctl -t 10 set open . other_config:dpdk-init=true", True),
        ("/bin/sh -c 'ovs-vsctl get open . x; ovs-vsctl set open . x=y'", True),
        ("ovs-vsctl list-br -- del-br br0", True),
        ("ovs-vsctl --no-wait set open . x=y", False),
        ("/bin/sh -c 'ovs-vsctl --no-wait init && ovs-vsctl --no-wait set open . x=y'", False),
        ("ovs-vsctl --timeout=5 br-exists br0", False),
        ("ovs-vsctl -t 5 get open . x", False),
        ("ovs-vsctl --version", False),
        ("/usr/share/openvswitch/scripts/ovs-ctl start", False),
        ("/usr/bin/my-ovs-vsctl-wrapper set x", False),
    ],
)
def test_what_waits(line: str, expected: bool) -> None:
    assert waits(line) is expected


WAITS = "ovs-vsctl set open . x=y"


@pytest.mark.parametrize(
    ("file", "text", "severity"),
    [
        ("/usr/lib/systemd/system/ovs-vswitchd.service", f"ExecStartPre={WAITS}", Severity.WARNING),
        ("/etc/systemd/system/ovs-vswitchd.service.d/own.conf", f"[Service]\nExecStartPre=-{WAITS}", Severity.WARNING),
        ("/etc/systemd/system/ovs-vswitchd.service", "ExecStartPre=ovs-vsctl \\\n  add-br x", Severity.WARNING),
        ("/etc/systemd/system/ovs-vswitchd.service", f"ExecStartPost={WAITS}", Severity.OK),
        ("/etc/systemd/system/ovs-vswitchd.service", f"#ExecStartPre={WAITS}", Severity.OK),
        ("/etc/systemd/system/ovs-vswitchd.service", f"ExecStartPre={WAITS}\nExecStartPre=", Severity.OK),
        ("/lib/systemd/system/ovsdb-server.service", f"ExecStartPost={WAITS}", Severity.WARNING),
        ("/etc/systemd/system/mine.service", f"Before=ovs-vswitchd.service\nExecStart={WAITS}", Severity.WARNING),
        ("/etc/systemd/system/mine.service", f"After=ovs-vswitchd.service\nExecStart={WAITS}", Severity.OK),
    ],
)
def test_unit_that_waits_for_itself_is_found(tree: Tree, file: str, text: str, severity: Severity) -> None:
    assert tree.one("unit.waits-for-itself").severity is Severity.OK
    tree.write(file, f"{text}\n")
    found = tree.one("unit.waits-for-itself")
    assert found.severity is severity
    assert all(each.startswith(f"{file}: Exec") for each in found.evidence)


def test_unit_of_the_administrator_hides_that_of_the_package(tree: Tree) -> None:
    tree.write("/usr/lib/systemd/system/ovs-vswitchd.service", f"ExecStartPre={WAITS}\n")
    tree.write("/etc/systemd/system/ovs-vswitchd.service", "ExecStart=ovs-vswitchd\n")
    assert tree.one("unit.waits-for-itself").severity is Severity.OK

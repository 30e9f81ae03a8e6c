"""Denials in the logs of the host."""

import pytest

from ovsnet.doctor import Severity

from .conftest import NOW, Denied, Tree

AVC = 'type=AVC msg=audit({:.3f}:456): avc:  denied  {{ write }} for  pid=1 comm="{}" name="x" permissive={}'
APPARMOR = (
    'host kernel: [1.0] audit: type=1400 audit({:.3f}:9): apparmor="DENIED" operation="open" '
    'profile="/usr/sbin/ovsdb-server" name="/x" pid=9 comm="{}"'
)
APPARMOR_ON = "/sys/module/apparmor/parameters/enabled"
DOMAIN = " scontext=system_u:system_r:openvswitch_t:s0 tcontext=system_u:object_r:modules_t:s0 tclass=dir"


@pytest.mark.parametrize(
    ("path", "line", "said"),
    [
        ("/var/log/audit/audit.log", AVC.format(NOW - 60, "ovs-vswitchd", 0), "SELinux"),
        ("/var/log/audit/audit.log", AVC.format(NOW - 60, "ovn-controller", 0), "SELinux"),
        ("/var/log/audit/audit.log", AVC.format(NOW - 60, "ovs-vswitchd", 1), ""),
        ("/var/log/audit/audit.log", AVC.format(NOW - 60, "httpd", 0), ""),
        ("/var/log/audit/audit.log", AVC.format(NOW - 90_000, "ovs-vswitchd", 0), ""),
        ("/var/log/kern.log", APPARMOR.format(NOW - 60, "ovsdb-server"), "AppArmor"),
        ("/var/log/kern.log", APPARMOR.format(NOW - 60, "handler12"), "AppArmor"),
        ("/var/log/audit/audit.log", AVC.format(NOW - 60, "modprobe", 0) + DOMAIN, "SELinux"),
        ("/var/log/syslog", APPARMOR.format(NOW - 60, "cupsd").replace("ovsdb-server", "cupsd"), ""),
    ],
)
def test_denial_of_a_daemon_in_the_last_day_is_warned_of(tree: Tree, path: str, line: str, said: str) -> None:
    assert tree.one("access.denied").severity is Severity.OK
    tree.write(path, f"something else\n{line}\n")
    found = tree.one("access.denied")
    assert found.severity is (Severity.WARNING if said else Severity.OK)
    assert found.evidence == ((line,) if said else ())
    assert found.summary.startswith(f"{said} has kept") or not said


def test_log_that_may_not_be_read_is_unseen(tree: Tree, deny: Denied) -> None:
    deny("/var/log/audit/audit.log")
    assert tree.one("access.denied").severity is Severity.UNSEEN


@pytest.mark.parametrize(("path", "text"), [("/sys/fs/selinux/enforce", "1"), (APPARMOR_ON, "Y\n")])
def test_host_that_keeps_no_log_files_is_unseen_where_anything_can_be_denied(tree: Tree, path: str, text: str) -> None:
    tree.write(APPARMOR_ON, "N\n")
    assert tree.one("access.denied").severity is Severity.OK
    tree.write(path, text)
    found = tree.one("access.denied")
    assert found.severity is Severity.UNSEEN
    assert "journalctl" in found.remedy
    tree.write("/var/log/audit/audit.log", "nothing\n")
    assert tree.one("access.denied").severity is Severity.OK

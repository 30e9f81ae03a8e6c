"""Certificates of the daemons that run."""

from pathlib import Path

import pytest

from ovsnet.doctor import Severity
from ovsnet.protocol.certificates import validities
from tests.io.test_tls import Authority

from .conftest import Tree

DAY = 86400.0


@pytest.mark.parametrize(
    ("days", "severity"), [(300.0, Severity.OK), (3.0, Severity.WARNING), (-1.0, Severity.WARNING)]
)
def test_certificate_that_ends_is_named(
    tree: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: float, severity: Severity
) -> None:
    pem = Path(Authority(tmp_path / "ca").pair("switch", days=365).certificate).read_text()
    (dates,) = validities(pem.encode())
    monkeypatch.setattr("tests.doctor.conftest.NOW", dates.ends - days * DAY)
    tree.daemon("ovs-vswitchd", 100)
    tree.write("/proc/100/cmdline", "ovs-vswitchd\0--certificate=/etc/switch.pem\0--private-key=/etc/key.pem\0")
    tree.write("/proc/100/root/etc/switch.pem", pem)
    found = tree.one("tls.expiry")
    assert found.severity is severity
    assert found.evidence[0].startswith("/etc/switch.pem")


def test_daemons_without_tls_have_nothing_that_ends(tree: Tree) -> None:
    tree.daemon("ovs-vswitchd", 100)
    assert (tree.one("tls.expiry").severity, tree.one("tls.expiry").evidence) == (Severity.OK, ())

"""Kernel releases and IPv6."""

import pytest

from ovsnet.doctor import Severity

from .conftest import Tree


@pytest.mark.parametrize(
    ("release", "severity"),
    [
        ("3.10.0-693.el7.x86_64", Severity.OK),
        ("3.10.0-862.el7.x86_64", Severity.FATAL),
        ("3.10.0-862.14.4.el7.x86_64", Severity.FATAL),
        ("3.10.0-898.el7.x86_64", Severity.WARNING),
        ("3.10.0-899.el7.x86_64", Severity.OK),
        ("3.10.0-1160.el7.x86_64", Severity.OK),
        ("5.15.0-862-generic", Severity.OK),
        ("custom", Severity.UNSEEN),
    ],
)
def test_defective_releases_are_known(tree: Tree, release: str, severity: Severity) -> None:
    tree.kernel(release)
    found = tree.one("kernel.release")
    assert found.severity is severity
    if severity.matters:
        assert "3.10.0-898" in found.remedy


def test_kernel_that_cannot_be_seen_is_said(tree: Tree) -> None:
    tree.path("/proc/sys/kernel/osrelease").unlink()
    assert tree.one("kernel.release").severity is Severity.UNSEEN


@pytest.mark.parametrize(("release", "severity"), [("3.10.0-1160.el7", Severity.FATAL), ("5.15.0", Severity.NOTE)])
def test_missing_ipv6_is_fatal_for_old_geneve_alone(tree: Tree, release: str, severity: Severity) -> None:
    tree.kernel(release)
    assert tree.one("kernel.ipv6").severity is Severity.OK
    tree.path("/proc/net/if_inet6").unlink()
    assert tree.one("kernel.ipv6").severity is severity


@pytest.mark.parametrize(
    ("trees", "severity"),
    [
        ([], Severity.OK),
        (["5.15.0-91-generic"], Severity.OK),
        (["5.15.0-91-generic", "5.15.0-84-generic"], Severity.OK),
        (["5.15.0-91-generic", "5.15.0-105-generic"], Severity.NOTE),
        (["5.15.0-91-generic", "5.15.0-105-lowlatency"], Severity.OK),
        (["5.15.0-105-generic"], Severity.WARNING),
    ],
)
def test_kernel_that_was_replaced_and_still_runs(tree: Tree, trees: list[str], severity: Severity) -> None:
    """A directory without modules.dep is what a removed kernel leaves behind."""
    tree.path("/lib/modules/4.4.0-1-generic").mkdir(parents=True)
    for name in trees:
        tree.write(f"/lib/modules/{name}/modules.dep", "")
    assert tree.one("kernel.installed").severity is severity


@pytest.mark.parametrize("newer", ["4.18.0-600.el8.x86_64", "4.18.0-553.9.1.el8_10.x86_64"])
def test_kernel_of_the_same_distribution_counts_as_newer(tree: Tree, newer: str) -> None:
    tree.kernel("4.18.0-553.el8.x86_64")
    for name in ("4.18.0-553.el8.x86_64", newer):
        tree.write(f"/lib/modules/{name}/modules.dep", "")
    assert tree.one("kernel.installed").severity is Severity.NOTE

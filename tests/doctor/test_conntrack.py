"""The table of tracked connections."""

import pytest

from ovsnet.doctor import Severity
from ovsnet.doctor.conntrack import COUNT, COUNTERS, MOST

from .conftest import Tree


@pytest.mark.parametrize(
    ("count", "dropped", "severity"), [(10, 0, Severity.OK), (90, 0, Severity.WARNING), (10, 0x1F, Severity.NOTE)]
)
def test_table_that_is_nearly_full_or_was(tree: Tree, count: int, dropped: int, severity: Severity) -> None:
    tree.write(COUNT, f"{count}\n")
    tree.write(MOST, "100\n")
    tree.write(COUNTERS, f"entries  insert drop\n0000000a  00000000 {dropped:08x}\n0000000a  00000000 00000000\n")
    found = tree.one("conntrack.maximum")
    assert found.severity is severity
    assert severity is not Severity.NOTE or "31 packets" in found.summary
    for pid in ("self", "1"):
        tree.path(f"/proc/{pid}/ns").mkdir(parents=True)
        tree.path(f"/proc/{pid}/ns/net").symlink_to(f"net:[{pid}]")
    assert tree.one("conntrack.maximum").severity is Severity.UNSEEN, "these are the numbers of another namespace"


def test_kernel_without_the_table_tracks_nothing(tree: Tree) -> None:
    assert tree.one("conntrack.maximum").severity is Severity.OK

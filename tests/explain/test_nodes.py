"""Which lines belong together."""

from __future__ import annotations

import pytest

from ovsnet.explain.nodes import stem
from tests.explain.material import node, told


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("/var/log/ovn/ovn-controller.log", "ovn-controller"),
        ("ovs-vswitchd.log.1", "ovs-vswitchd"),
        ("ovs-vswitchd.log.12.gz", "ovs-vswitchd"),
        ("ovs-vswitchd.log-20261125.xz", "ovs-vswitchd"),
        ("ovn-sb1.log", "ovn-sb1"),
        ("ovn-controller/logs/previous.log", "current"),
    ],
)
def test_rotation_adds_nothing_to_a_name(name: str, short: str) -> None:
    assert stem(name) == short


def test_rotated_logs_in_any_order_are_one_history() -> None:
    database, switch, controller = node()
    lines = controller.text.splitlines(keepends=True)
    parts = [("ovn-controller.log", b"".join(lines[4:])), ("ovn-controller.log.1", b"".join(lines[:4]))]
    found = told([*parts, database, switch])
    assert len(found.starts) == 1
    assert found.starts[0].seconds == pytest.approx(0.35, abs=0.01)


def test_two_nodes_side_by_side() -> None:
    logs = [(f"{name}/{log.name}", log.text) for name in ("n1", "n2") for log in node()]
    assert sorted(start.node for start in told(logs).starts) == ["n1", "n2"]


def test_directories_of_one_node_are_one_node() -> None:
    database, switch, controller = node()
    found = told(
        [(f"ovs/{log.name}", log.text) for log in (database, switch)] + [(f"ovn/{controller.name}", controller.text)]
    )
    assert len(found.starts) == 1

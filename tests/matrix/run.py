"""Run rows, one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ovsnet.sandbox.node import Sandbox
from tests.faults.fault import Fault, Shape
from tests.faults.limits import cgroups
from tests.faults.storage import has_ext4
from tests.matrix.examine import examine, examine_long
from tests.matrix.expected import Expected
from tests.matrix.row import Row

NEEDS: dict[str, Callable[[], bool]] = {
    "root": lambda: os.geteuid() == 0,
    "ext4": has_ext4,
    "namespaces": lambda: os.geteuid() == 0,
    "cgroup": cgroups,
    "own-host": lambda: os.getpid() == 1,
    "no-rundir": lambda: not any(os.path.exists(f"{run}/openvswitch") for run in ("/run", "/usr/local/var/run")),
}
"""What a fault needs of the host, and whether it is here. In a pid namespace of our own no daemon of another
node is seen, as on a host of our own."""

ALONE = "heavy"
"""Of ``needs``: nothing else may run meanwhile."""

TRIES = 2
"""Nodes on which a row is tried. One that was not well before the fault says nothing of the product."""


class Task:
    """A row that is to come."""

    def __init__(self, faults: Sequence[Fault], *, long: bool = False) -> None:
        self.faults = faults
        self.long = long

    @property
    def shape(self) -> Shape:
        """Of the node; a pair has one."""
        return self.faults[0].shape

    @property
    def alone(self) -> bool:
        return any(ALONE in fault.needs for fault in self.faults)

    @property
    def lacking(self) -> str:
        """What this host does not have."""
        needs = sorted(set().union(*(fault.needs for fault in self.faults)) - {ALONE})
        return ", ".join(need for need in needs if not NEEDS[need]())

    def empty(self) -> Row:
        """The row before anything was said."""
        expected = Expected.of(self.faults)
        return Row(
            name=" + ".join(fault.name for fault in self.faults),
            kind="long" if self.long else "single" if len(self.faults) == 1 else "pair",
            about=" ".join(fault.about for fault in self.faults),
            codes=sorted(expected.codes),
            state=expected.state.label,
        )


async def run(tasks: Sequence[Task], say: Callable[[Row], None]) -> list[Row]:
    """One row after the other, on one node for as long as it is well and of the right shape."""
    rows: list[Row] = []
    node: Sandbox | None = None
    shape: Shape | None = None
    try:
        for task in sorted(tasks, key=lambda task: task.shape):
            if node is not None and shape != task.shape:
                await node.down()
                node = None
            if task.lacking:
                row = task.empty()
                row.skipped = f"needs {task.lacking}"
            else:
                node, row = await _try(task, node)
                shape = task.shape
            rows.append(row)
            say(row)
    finally:
        if node is not None:
            await node.down()
    return rows


async def _try(task: Task, node: Sandbox | None) -> tuple[Sandbox | None, Row]:
    """The row, and the node if it may be used again."""
    why = ""
    for _ in range(TRIES):
        node = node or await _node(task.shape)
        try:
            row = await (examine_long(task.faults[0], node) if task.long else examine(task.faults, node))
            await node.wait_ready(timeout=15)
        except Exception as error:  # a row that cannot be run is reported, and the others go on
            why = f"{type(error).__name__}: {error}"
            await node.down()
            node = None
        else:
            if not row.wrong:
                return node, row
            await node.down()
            return None, row
    row = task.empty()
    row.wrong.append(f"could not be run: {why}")
    return None, row


async def _node(shape: Shape) -> Sandbox:
    node = Sandbox(raft=shape == "raft", ovn=shape != "no-ovn")
    await node.up()
    await node.wait_ready()
    return node

"""Those that follow a monitor which outlives its connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ovsnet.io.address import Address
from ovsnet.ovsdb import Changes, Client, Uuid
from ovsnet.ovsdb.replica import Change
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, Callable, Iterable

    from ovsnet.ovsdb import Tables


OVS, SB, NB = "Open_vSwitch", "OVN_Southbound", "OVN_Northbound"
SWITCHES = {"Logical_Switch": ["name"]}


def patient(address: Address) -> Client:
    """A client that no slow machine makes connect again."""
    return Client(address, probe=None, timeout=PATIENCE)


def names(tables: Tables, table: str = "Logical_Switch") -> set[str]:
    return {row["name"] for row in tables[table].values()}


def has(count: int) -> Callable[[Tables], bool]:
    return lambda tables: len(names(tables)) == count


class Folded:
    """Tables as a consumer sees them who is told changes alone. A row that comes twice or goes unseen is an error."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[Uuid, Any]] = {}

    def fold(self, changes: Iterable[Change]) -> None:
        for change in changes:
            rows = self.tables.setdefault(change.table, {})
            assert rows.get(change.uuid) == change.old
            if change.new is None:
                del rows[change.uuid]
            else:
                rows[change.uuid] = change.new

    def names(self) -> set[str]:
        return {row["name"] for rows in self.tables.values() for row in rows.values()}


async def consume(monitor: AsyncIterable[Changes]) -> int:
    return len([changes async for changes in monitor])

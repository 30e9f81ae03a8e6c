"""Rows of the schema that the cases write."""

from __future__ import annotations

from ovsnet.ovsdb import NamedUuid, Uuid
from ovsnet.ovsdb.operations import insert

IDS = [Uuid(f"{number:08d}-1111-4222-8333-444444444444") for number in range(8)]

FULL = {
    "number": 1,
    "real": 2.5,
    "flag": True,
    "text": "some text",
    "id": IDS[0],
    "numbers": {7, 8, 9},
    "reals": {-0.25},
    "maybe": True,
    "texts": {"x", "y"},
    "ids": {IDS[1], IDS[2]},
}
OTHER = {"number": -1, "real": 125.0, "numbers": {1}, "reals": {1.5}, "maybe": False}


def node(number: int, name: str, next_one: str, **columns: object) -> dict[str, object]:
    return dict(insert("Node", {"number": number, "next": NamedUuid(next_one), **columns}, name=name))


def weak(*rows: str) -> dict[str, object]:
    return dict(insert("Weak", {"name": "w", "rows": {NamedUuid(row) for row in rows}}))


def plain(*numbers: int) -> list[dict[str, object]]:
    """Rows that each have a name in the transaction: ``p1`` for number 1."""
    return [dict(insert("Plain", {"number": number}, name=f"p{number}")) for number in numbers]


def with_uuid(uuid: Uuid, number: int) -> dict[str, object]:
    """A row whose uuid the client chooses (ovsdb-server(7), section 5.2.1)."""
    return {**insert("Plain", {"number": number}), "uuid": str(uuid)}

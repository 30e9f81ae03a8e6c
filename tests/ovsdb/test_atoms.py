"""A key of a map is named as text, whatever type the keys have: to write it, to find rows by it, and to read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import UsageError
from ovsnet.ovsdb import Uuid, connect
from ovsnet.ovsdb.atoms import atom_of, key_in
from ovsnet.ovsdb.operations import insert
from tests.ovsdb import shapes

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server

UUID = Uuid("00000000-0000-4000-8000-000000000001")
KEYS = [
    ("integer", "7", 7),
    ("real", "1.5", 1.5),
    ("boolean", "true", True),
    ("string", "7", "7"),
    ("uuid", UUID, UUID),
]


@pytest.mark.parametrize(("kind", "text", "key"), KEYS)
async def test_key_of_each_type_is_written_and_found_by_its_text(
    shaped: Server, kind: str, text: str, key: object
) -> None:
    column = f"map_{kind}_string"
    async with connect(shaped.address) as session:
        await session.transact(shapes.NAME, insert("Shape", {"name": "a"}), insert("Shape", {"name": "b"}))
        db = session[shapes.NAME]
        await db.set("Shape", "a", {f"{column}:{text}": "x"})
        await db.set("Shape", "a", {f"{column}:{text}": "y"})
        assert (await db.get("Shape", "a", column))[column] == {key: "y"}
        monitor = await session.monitor(shapes.NAME, {"Shape": ["name", column]})
        found = monitor.index("Shape", f"{column}:{text}").find("y")
        assert [row["name"] for row in found.values()] == ["a"]


async def test_text_that_is_no_key_is_refused_before_anything_is_sent(shaped: Server) -> None:
    async with connect(shaped.address) as session:
        await session.transact(shapes.NAME, insert("Shape", {"name": "a"}))
        with pytest.raises(UsageError, match="'first' is not a valid integer"):
            await session[shapes.NAME].set("Shape", "a", {"map_integer_string:first": "x"})


def test_key_that_is_not_there() -> None:
    assert key_in({}, "a") is None
    assert key_in({"b": 1}, "a") is None
    assert key_in({7: "x"}, "8") is None
    assert key_in({7: "x"}, "a") is None
    assert key_in({True: "x"}, "false") is None
    assert atom_of("string", '"7"') == "7"

"""Schemas as the server sends them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ProtocolError, UsageError
from ovsnet.ovsdb.schema import parse_schema

if TYPE_CHECKING:
    from ovsnet.ovsdb import Session


async def test_schema_of_the_switch(session: Session) -> None:
    schema = await session.get_schema("Open_vSwitch")
    root = schema.table("Open_vSwitch")
    assert root.is_singleton
    assert root.is_root
    assert root.max_rows == 1
    assert not schema.table("Port").is_root
    assert schema.table("Bridge").indexes == (("name",),)
    assert schema.table("Interface").column("statistics").ephemeral
    assert not schema.table("Bridge").column("name").mutable


async def test_schema_of_the_southbound(session: Session) -> None:
    binding = (await session.get_schema("OVN_Southbound")).table("Port_Binding")
    assert binding.column("chassis").is_optional
    assert binding.column("options").is_map
    assert binding.column("tunnel_key").is_scalar
    assert binding.max_rows is None


async def test_names_that_are_not_there(session: Session) -> None:
    schema = await session.get_schema("Open_vSwitch")
    with pytest.raises(UsageError, match="no table Brigde"):
        schema.table("Brigde")
    with pytest.raises(UsageError, match="no column colour"):
        schema.table("Bridge").column("colour")


async def test_row_to_write_is_judged_as_a_whole(session: Session) -> None:
    bridge = (await session.get_schema("Open_vSwitch")).table("Bridge")
    assert bridge.to_wire({"name": "br0", "flood_vlans": {7}}) == {"name": "br0", "flood_vlans": ["set", [7]]}
    with pytest.raises(UsageError, match="flood_vlans"):
        bridge.to_wire({"name": "br0", "flood_vlans": {7000}})


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        {"name": "D"},
        {"name": "D", "tables": []},
        {"name": "D", "tables": {"T": {}}},
        {"name": "D", "tables": {"T": {"columns": {}}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": "colour"}}}}},
        {"name": "D", "tables": {"T": {"columns": {"_c": {"type": "string"}}}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": {"key": "string", "min": 5}}}}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": {"key": {"type": "uuid", "refTable": "X"}}}}}}},
        {"name": "D", "tables": {"T": {"columns": {"c": 7}}}},
        {"name": 7, "tables": {}},
    ],
)
def test_what_is_no_schema_is_a_protocol_error(document: object) -> None:
    with pytest.raises(ProtocolError, match="no schema"):
        parse_schema(document)

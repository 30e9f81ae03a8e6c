"""Schemas as the server sends them."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from ovs.db.schema import DbSchema

from ovsnet.errors import ProtocolError, UsageError
from ovsnet.ovsdb import connect
from ovsnet.ovsdb.schema import parse_schema
from ovsnet.ovsdb.transaction import Transaction
from ovsnet.sandbox.binaries import find
from tests.ovsdb.scripted import scripted

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


@pytest.mark.parametrize("name", ["vswitch", "ovn-nb", "ovn-sb"])
def test_schemas_are_read_as_ovs_reads_them(name: str) -> None:
    document = json.loads(find().schema(f"{name}.ovsschema").read_text())
    reference, schema = DbSchema.from_json(document), parse_schema(document)
    assert (schema.name, schema.version) == (reference.name, reference.version)
    assert schema.tables.keys() == reference.tables.keys()
    for table, expected in reference.tables.items():
        found = schema.table(table)
        assert found.is_root is expected.is_root
        assert found.max_rows == (None if expected.max_rows == sys.maxsize else expected.max_rows)
        assert found.indexes == tuple(tuple(column.name for column in index) for index in expected.indexes)
        assert {
            each.name: (each.key, each.value, each.min, each.max, each.mutable, each.ephemeral, each.datum_type)
            for each in found.columns.values()
        } == {
            each.name: (
                each.type.key.type.name,
                each.type.value and each.type.value.type.name,
                each.type.n_min,
                each.type.n_max,
                each.mutable,
                not each.persistent,
                each.type,
            )
            for each in expected.columns.values()
        }


def test_type_that_no_ovs_would_take_is_a_protocol_error_when_it_is_written() -> None:
    column = {"type": {"key": {"type": "string", "enum": ["set", [7]]}}}
    table = parse_schema({"name": "D", "tables": {"T": {"columns": {"c": column}}}}).table("T")
    with pytest.raises(ProtocolError, match="wrong type for column c"):
        table.to_wire({"c": "x"})


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
        {"name": "D", "version": 1, "tables": {}},
        {"name": "D", "tables": {"a b": {"columns": {"c": {"type": "string"}}}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}, "maxRows": 0}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}, "indexes": [["d"]]}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string", "colour": 1}}}}},
        {"name": "D", "tables": {"T": {"columns": {"c": {"type": {"key": "string", "max": "many"}}}}}},
    ],
)
def test_what_is_no_schema_is_a_protocol_error(document: object) -> None:
    with pytest.raises(ProtocolError, match="no schema"):
        parse_schema(document)


@pytest.mark.parametrize("rows", [[{"name": "a"}], [{"name": "a", "number": 1}, {}], None, [1], {}])
async def test_a_select_answered_without_what_was_asked(rows: object) -> None:
    """A reader of these columns counts on them."""
    answering = scripted(transact=lambda params: [{"rows": rows}])
    async with answering as (_, address), await connect(address) as session:
        with pytest.raises(ProtocolError):
            await session.select("D", "T", columns=["name", "number"])
        with pytest.raises(ProtocolError):
            async with Transaction(session, "D") as txn:
                txn.select("T", columns=iter(["name", "number"]))

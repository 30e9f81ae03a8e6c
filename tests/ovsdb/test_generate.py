"""The classes that are written for a schema: they are right to a type checker, and hold what the server sends."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import UsageError
from ovsnet.ovsdb import Client, Uuid, connect, row_as
from ovsnet.ovsdb.generate import module_of
from ovsnet.ovsdb.operations import insert
from ovsnet.ovsdb.schema import parse_schema
from tests.ovsdb import shapes
from tests.ovsdb.test_rows import real_schema

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server


def loaded(path: Path, text: str) -> ModuleType:
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("file", ["vswitch.ovsschema", "ovn-nb.ovsschema", "ovn-sb.ovsschema"])
def test_defaults_are_those_of_the_schema(file: str, tmp_path: Path) -> None:
    schema = real_schema(file)
    module = loaded(tmp_path / f"rows_{file.partition('.')[0].replace('-', '_')}.py", module_of(schema))
    for name, table in schema.tables.items():
        kind: Any = getattr(module, name)
        assert set(table.columns) | {"_uuid"} == set(kind.FIELDS.values())
        for field, column in kind.FIELDS.items():
            if column != "_uuid":
                assert getattr(kind(), field) == table.columns[column].default


def test_names_that_python_has_taken(tmp_path: Path) -> None:
    columns = {"from": {"type": "string"}, "uuid": {"type": "integer"}, "TABLE": {"type": {"key": "real", "min": 0}}}
    table = {"columns": columns, "indexes": [["from", "uuid"]], "maxRows": 1}
    schema = parse_schema({"name": "D", "tables": {"class": table}})
    module: Any = loaded(tmp_path / "rows_taken.py", module_of(schema))
    row = row_as(module.class_, {"_uuid": Uuid("u"), "from": "here", "uuid": 7, "TABLE": None})
    assert (row.uuid, row.from_, row.uuid_, row.TABLE_) == ("u", "here", 7, None)
    assert "Unique by from with uuid" in module.class_.__doc__


def test_columns_called_like_what_a_class_uses(tmp_path: Path) -> None:
    """The columns that come after them in the class have types and defaults all the same."""
    many = {"key": "string", "min": 0, "max": "unlimited"}
    columns: dict[str, Any] = {name: {"type": "string"} for name in ("Mapping", "dict", "field", "frozenset", "str")}
    columns |= {"z": {"type": {**many, "value": "string"}}, "zz": {"type": many}}
    schema = parse_schema({"name": "D", "tables": {"T": {"columns": columns}}})
    module: Any = loaded(tmp_path / "rows_used.py", module_of(schema))
    row = row_as(module.T, {"_uuid": Uuid("u"), "field": "f", "str": "s"})
    assert (row.field_, row.str_, row.z, row.zz) == ("f", "s", {}, frozenset())


async def test_rows_come_as_objects(shaped: Server, tmp_path: Path) -> None:
    module: Any = loaded(tmp_path / "rows_shapes.py", module_of(parse_schema(shapes.SCHEMA)))
    async with connect(shaped.address) as session:
        await session.transact(shapes.NAME, insert("Shape", {"name": "a", "some_string": ["x"], "one_integer": 3}))
        (row,) = await session[shapes.NAME].find_as(module.Shape, ("name", "==", "a"))
        assert (row.name, row.some_string, row.one_integer, row.maybe_real) == ("a", {"x"}, 3, None)
        (same,) = await session.select(shapes.NAME, "Shape", columns=["_uuid"])
        assert row.uuid == same["_uuid"]
        monitor = await session.monitor(shapes.NAME, {"Shape": None})
        assert monitor.rows_as(module.Shape) == {row.uuid: row}
        with pytest.raises(UsageError):
            row_as(module.Shape, monitor.tables["Shape"][row.uuid])


async def test_columns_that_a_copy_has_not_are_no_defaults(shaped: Server, tmp_path: Path) -> None:
    """An object whose fields were never fetched would say that the row holds nothing there."""
    module: Any = loaded(tmp_path / "rows_some.py", module_of(parse_schema(shapes.SCHEMA)))
    some = {"Shape": ["name"]}
    async with (
        connect(shaped.address) as session,
        session.monitor(shapes.NAME, some) as brief,
        Client(shaped.address) as client,
        client.monitor(shapes.NAME, some) as lasting,
    ):
        for monitor in (brief, lasting):
            with pytest.raises(UsageError, match=r"Column \w+ of Shape is not monitored"):
                monitor.rows_as(module.Shape)
            with pytest.raises(UsageError, match="Table Counter is not monitored"):
                monitor.rows_as(module.Counter)
        counters = await session.monitor(shapes.NAME, {"Counter": ["count", "newer"]})
        assert counters.missing == {"Counter.newer"}
        assert counters.rows_as(module.Counter) == {}

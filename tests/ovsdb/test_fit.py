"""Conditions mean here what they mean to the server."""

from __future__ import annotations

import itertools
import random
from typing import TYPE_CHECKING

from ovsnet.errors import UsageError
from ovsnet.ovsdb import connect
from ovsnet.ovsdb.errors import ConstraintViolation, DomainError, RangeError, Refused
from ovsnet.ovsdb.fit import ARITHMETIC, EQUAL, INCLUDING, ORDERED, fit_conditions, fit_mutations, meets
from ovsnet.ovsdb.operations import delete, insert, mutate
from tests.ovsdb import shapes

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server


async def test_conditions_are_judged_as_the_server_judges_them(shaped: Server) -> None:
    """Every function on every shape of column: it finds the same rows, or both refuse."""
    rng = random.Random(1)
    async with connect(shaped.address) as session:
        for number in range(12):
            row = {name: shapes.random_value(name, rng) for name in shapes.COLUMNS}
            await session.transact(shapes.NAME, insert("Shape", {"name": str(number), **row}))
        table = (await session.get_schema(shapes.NAME)).table("Shape")
        rows = await session.select(shapes.NAME, "Shape")
        judged = 0
        for name, function in itertools.product(shapes.COLUMNS, (*EQUAL, *ORDERED, *INCLUDING)):
            condition = (name, function, shapes.random_value(name, rng))
            try:
                found = await session.select(shapes.NAME, "Shape", [condition], ["name"])
            except Refused:
                found = None
            try:
                fit_conditions(table, [condition])
            except UsageError:
                assert found is None, condition
                continue
            assert found is not None, condition
            judged += 1
            ours = {row["name"] for row in rows if meets(table, row, [condition])}
            assert ours == {row["name"] for row in found}, condition
        assert judged > 150


async def test_mutations_are_judged_as_the_server_judges_them(shaped: Server) -> None:
    """Every mutator on every shape of column, with values of its own shape and of others: both take it, or both refuse
    it. What becomes of a row is the server's to judge."""
    rng = random.Random(1)
    async with connect(shaped.address) as session:
        table = (await session.get_schema(shapes.NAME)).table("Shape")
        taken = 0
        for name, mutator in itertools.product(shapes.COLUMNS, (*ARITHMETIC, "insert", "delete")):
            _, kind, *_ = name.split("_")
            values = (shapes.random_value(name, rng), shapes.random_value(f"some_{kind}", rng), True, None, 2, {"a"})
            for value in values:
                await session.transact(shapes.NAME, delete("Shape"), insert("Shape", {"name": "a"}))
                mutation = (name, mutator, value)
                try:
                    await session.transact(shapes.NAME, mutate("Shape", [mutation]))
                    fits = True
                except (ConstraintViolation, DomainError, RangeError) as error:
                    fits = "not valid" not in error.details
                except Refused:
                    fits = False
                try:
                    fit_mutations(table, [mutation])
                except UsageError:
                    assert not fits, mutation
                    continue
                assert fits, mutation
                taken += 1
        assert taken > 150

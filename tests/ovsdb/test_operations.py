"""Each operation of RFC 7047 section 5.2, done by a real ovsdb-server, and each error that it can be made to give."""

from __future__ import annotations

import math
import sys
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet.errors import UsageError
from ovsnet.ovsdb import NamedUuid, Session, Uuid, connect
from ovsnet.ovsdb import errors as refused
from ovsnet.ovsdb.operations import (
    Operation,
    abort,
    assert_lock,
    comment,
    commit,
    delete,
    insert,
    mutate,
    select,
    update,
    wait,
)
from ovsnet.ovsdb.values import NO_UUID

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server

OVS = "Open_vSwitch"


async def add_bridge(session: Session, **columns: object) -> Uuid:
    """A bridge, kept alive by the root row that refers to it."""
    new = insert("Bridge", {"name": "br0", **columns}, name="new")
    results = await session.transact(OVS, new, insert(OVS, {"bridges": {NamedUuid("new")}}))
    return Uuid(results[0]["uuid"][1])


async def bridges(session: Session, *columns: str) -> list[dict[str, object]]:
    return [dict(row) for row in await session.select(OVS, "Bridge", columns=columns)]


async def test_insert_and_select_by_uuid(session: Session) -> None:
    uuid = await add_bridge(session)
    assert await session.select(OVS, "Bridge", [("_uuid", "==", uuid)], ["name", "_uuid"]) == [
        {"name": "br0", "_uuid": uuid}
    ]


async def test_select_takes_the_rows_that_meet_all_conditions(session: Session) -> None:
    await add_bridge(session, stp_enable=True)
    assert await session.select(OVS, "Bridge", [("name", "==", "br0"), ("stp_enable", "==", False)]) == []


async def test_update_counts_rows(session: Session) -> None:
    await add_bridge(session)
    (result,) = await session.transact(OVS, update("Bridge", {"fail_mode": "secure"}, [("name", "==", "br0")]))
    assert result == {"count": 1}
    assert await bridges(session, "fail_mode") == [{"fail_mode": "secure"}]


async def test_update_clears_an_optional_column_with_none(session: Session) -> None:
    await add_bridge(session, fail_mode="secure")
    await session.transact(OVS, update("Bridge", {"fail_mode": None}))
    assert await bridges(session, "fail_mode") == [{"fail_mode": None}]


async def test_mutate_sets_and_maps(session: Session) -> None:
    await add_bridge(session, flood_vlans={1, 2}, external_ids={"a": "1", "b": "2"})
    mutations = [
        ("flood_vlans", "insert", {3}),
        ("flood_vlans", "delete", {1}),
        ("external_ids", "insert", {"c": "3"}),
        ("external_ids", "delete", {"a"}),
    ]
    await session.transact(OVS, mutate("Bridge", mutations))
    assert await bridges(session, "flood_vlans", "external_ids") == [
        {"flood_vlans": {2, 3}, "external_ids": {"b": "2", "c": "3"}}
    ]


async def test_delete_counts_rows(session: Session) -> None:
    await session.transact(OVS, insert(OVS, {}))
    assert await session.transact(OVS, delete(OVS)) == [{"count": 1}]


async def test_wait_guards_a_read_modify_write(session: Session) -> None:
    await session.transact(OVS, insert(OVS, {"next_cfg": 1}))
    guard = wait(OVS, [{"next_cfg": 1}], columns=["next_cfg"])
    step = update(OVS, {"next_cfg": 2})
    await session.transact(OVS, guard, step)
    with pytest.raises(refused.TransactionTimedOut) as caught:
        await session.transact(OVS, guard, step)
    assert caught.value.operation == 0


async def test_wait_returns_when_another_session_makes_it_true(server: Server, session: Session) -> None:
    await session.transact(OVS, insert(OVS, {"next_cfg": 1}))
    async with await connect(server.address) as other:
        awaited = other.request(
            "transact", (OVS, wait(OVS, [{"next_cfg": 2}], columns=["next_cfg"], timeout=30)), timeout=30
        )
        await session.transact(OVS, update(OVS, {"next_cfg": 2}))
        await awaited


async def test_comment_and_commit(session: Session) -> None:
    assert await session.transact(OVS, comment("hello"), commit(durable=True)) == [{}, {}]


async def test_asserting_a_lock_that_is_held(session: Session) -> None:
    await session.request("lock", ("mine",), timeout=5)
    assert await session.transact(OVS, assert_lock("mine")) == [{}]


async def test_failed_transaction_does_nothing(session: Session) -> None:
    with pytest.raises(refused.TransactionAborted):
        await session.transact(OVS, insert(OVS, {}), abort())
    assert await session.select(OVS, OVS) == []


NOWHERE = Uuid("11111111-1111-4111-8111-111111111111")
ROOT = insert(OVS, {})


@pytest.mark.parametrize(
    ("operations", "error", "operation"),
    [
        ([insert("Bridge", {"name": "a", "fail_mode": "x"})], refused.ConstraintViolation, 0),
        ([ROOT, ROOT], refused.ConstraintViolation, None),
        ([ROOT, update(OVS, {"bridges": {NOWHERE}})], refused.ReferentialIntegrityViolation, None),
        ([ROOT, abort()], refused.TransactionAborted, 1),
        ([wait(OVS, [], columns=["next_cfg"], until="!=")], refused.TransactionTimedOut, 0),
        ([assert_lock("nobody")], refused.NotOwner, 0),
        ([{"op": "dance"}], refused.RequestMalformed, 0),
        ([select("Brigde")], refused.RequestMalformed, 0),
        ([select("Bridge", [("colour", "==", 1)])], refused.UnknownColumn, 0),
        ([insert("Bridge", {"colour": 1})], refused.UnknownColumn, 0),
        ([insert("Bridge", {}, name="x"), insert("Bridge", {}, name="x")], refused.DuplicateUuidName, 1),
        ([ROOT, mutate(OVS, [("next_cfg", "/=", 0)])], refused.DomainError, 1),
        (
            [ROOT, update(OVS, {"next_cfg": 2**62}), mutate(OVS, [("next_cfg", "*=", 2)])],
            refused.RangeError,
            2,
        ),
        ([{**ROOT, "uuid": str(NOWHERE)}, {**ROOT, "uuid": str(NOWHERE)}], refused.DuplicateUuid, 1),
    ],
)
async def test_refusals_have_types(
    session: Session, operations: list[Operation], error: type[refused.Refused], operation: int | None
) -> None:
    with pytest.raises(error) as caught:
        await session.transact(OVS, *operations)
    assert caught.value.operation == operation
    assert caught.value.tag
    assert str(caught.value).endswith(".")


async def test_two_rows_of_one_name_violate_an_index(session: Session) -> None:
    await add_bridge(session)
    new = insert("Bridge", {"name": "br0"}, name="second")
    with pytest.raises(refused.ConstraintViolation, match=r"the commit: constraint violation: .*br0"):
        await session.transact(OVS, new, mutate(OVS, [("bridges", "insert", {NamedUuid("second")})]))


async def test_unknown_database(session: Session) -> None:
    with pytest.raises(refused.UnknownDatabase) as caught:
        await session.transact("Nowhere", comment("hello"))
    assert caught.value.remedy


async def test_server_database_is_read_only(session: Session) -> None:
    with pytest.raises(refused.NotAllowed):
        await session.transact("_Server", insert("Database", {"name": "x", "model": "standalone"}))


@pytest.mark.parametrize("value", [b"bytes", object(), {"a": None}, {1: {2: 3}}])
def test_values_that_ovsdb_has_no_form_for(value: object) -> None:
    with pytest.raises(UsageError, match="cannot be stored"):
        insert("Bridge", {"external_ids": value})


def test_lists_are_sets() -> None:
    operation = insert("Bridge", {"flood_vlans": [1, 2], "ports": {NamedUuid("p")}, "name": uuid.UUID(int=1)})
    assert operation["row"] == {
        "flood_vlans": ["set", [1, 2]],
        "ports": ["set", [["named-uuid", "p"]]],
        "name": ["uuid", "00000000-0000-0000-0000-000000000001"],
    }


@pytest.mark.parametrize(
    "value",
    [
        *(1 << 63, -(1 << 63) - 1, 1 << 64, 10**309, {1 << 64}, {"a": 1 << 64}),
        *(math.nan, math.inf, -math.inf, 5e-324, sys.float_info.min, sys.float_info.max, {1.0, math.inf}),
    ],
)
def test_numbers_that_the_server_cannot_store_or_read_are_refused_before_anything_is_sent(value: object) -> None:
    with pytest.raises(UsageError, match="cannot be stored"):
        insert("Flow_Table", {"flow_limit": value})


async def test_numbers_at_the_edge_are_stored(shaped: Server) -> None:
    reals, integers = {0.0, 2.3e-308, -1.79e308, 0.1}, {(1 << 63) - 1, -(1 << 63)}
    async with connect(shaped.address) as session:
        await session.transact("Shapes", insert("Shape", {"some_real": reals, "some_integer": integers}))
        (row,) = await session.select("Shapes", "Shape", columns=["some_real", "some_integer"])
        assert row == {"some_real": reals, "some_integer": integers}


def test_default_uuid_is_all_zeros() -> None:
    assert set(NO_UUID) == {"0", "-"}


def test_what_no_operation_is_made_of_is_refused() -> None:
    wrong: list[Any] = [7, "name", [("name",)], ["name"]]
    for each in wrong:
        with pytest.raises(UsageError, match=r"is not a list of conditions|is not a condition"):
            select("Bridge", each)
        with pytest.raises(UsageError, match=r"is not a list of mutations|is not a mutation"):
            mutate("Bridge", each)
        with pytest.raises(UsageError, match="is not a row"):
            insert("Bridge", each)
    with pytest.raises(UsageError, match="No wait operation takes inf s"):
        wait("Bridge", [], columns=["name"], timeout=math.inf)

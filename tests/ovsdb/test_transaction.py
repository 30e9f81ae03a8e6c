"""Transactions that the schema agrees to before they are sent, and rows by their names."""

from __future__ import annotations

import asyncio
import uuid
import uuid as uuids
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from ovsnet.errors import DeadlineExceeded, ProtocolError, UsageError
from ovsnet.ovsdb import Client, Counted, Inserted, NamedUuid, Selected, Transaction, Uuid, connect
from ovsnet.ovsdb.errors import ConstraintViolation, NoSuchRow, NotOwner, TransactionTimedOut
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

    from ovsnet.ovsdb import LiveDatabase
    from tests.ovsdb.conftest import Server

OVS = "Open_vSwitch"


@pytest_asyncio.fixture
async def db(server: Server) -> AsyncIterator[LiveDatabase]:
    """A switch with the bridge br0 and its own port."""
    async with Client(server.address) as client:
        db = client[OVS]
        db.timeout = PATIENCE
        async with db.transaction(comment="make br0") as t:
            port = t.insert("Port", name="br0", interfaces=[t.insert("Interface", name="br0", type="internal")])
            t.insert(OVS, bridges=[t.insert("Bridge", name="br0", ports=[port])])
        yield db


async def test_results_are_typed_and_names_are_resolved(db: LiveDatabase) -> None:
    async with db.transaction() as t:
        port = t.insert("Port", {"name": "p", "interfaces": [t.insert("Interface", name="p")]})
        changed = t.mutate("Bridge", [("name", "==", "br0")], ("ports", "insert", [port]))
        everything = t.select("Port", columns=["name", "_uuid"])
        none = t.update("Bridge", [("name", "==", "br9")], fail_mode="secure")
    assert isinstance(port.uuid, Uuid)
    assert (changed.count, none.count) == (1, 0)
    assert {row["name"]: row["_uuid"] for row in everything.rows}["p"] == port.uuid
    assert (await db.get("Port", port.uuid, "name")) == {"name": "p"}
    async with db.transaction() as t:
        t.mutate("Bridge", [], ("ports", "delete", [port.uuid]))
        t.delete("Port", port.uuid)
        none_left = t.delete("Port", [("name", "==", "p")])
    assert none_left.count == 0


async def test_results_are_not_known_before(db: LiveDatabase) -> None:
    async with db.transaction() as t:
        made, found = t.insert("SSL", {"ca_cert": "a", "certificate": "b", "private_key": "c"}), t.select(OVS)
        for result in (lambda: made.uuid, lambda: found.rows):
            with pytest.raises(UsageError, match="not done yet"):
                result()
    assert len(found.rows) == 1
    for empty in (lambda: Inserted("x").uuid, lambda: Counted().count, lambda: Selected().rows):
        with pytest.raises(UsageError, match="not done yet"):
            empty()


async def test_exception_in_the_block_sends_nothing(db: LiveDatabase) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012
        async with db.transaction() as t:
            t.delete("Bridge", [])
            raise RuntimeError
    async with db.transaction():
        pass
    assert len(await db.find("Bridge")) == 1


UUID = Uuid("11111111-1111-4111-8111-111111111111")
WRONG: dict[str, Callable[[Transaction], object]] = {
    "no table Brigde": lambda t: t.insert("Brigde", name="x"),
    "no column naem": lambda t: t.insert("Bridge", naem="x"),
    "name: expected string": lambda t: t.insert("Bridge", name=7),
    "cannot be changed once": lambda t: t.update("Bridge", UUID, name="x"),
    "server's own": lambda t: t.insert("Bridge", {"_uuid": UUID}),
    "not in the valid range": lambda t: t.insert("Bridge", flood_vlans=[9999]),
    "allowed values": lambda t: t.update("Bridge", UUID, fail_mode="sometimes"),
    "no column colour": lambda t: t.select("Bridge", columns=["colour"]),
    "'=~' compares nothing": lambda t: t.delete("Bridge", [("name", "=~", "b")]),
    "has no order": lambda t: t.delete("Bridge", [("name", "<", "b")]),
    "column stp_enable: expected boolean": lambda t: t.delete("Bridge", [("stp_enable", "==", "yes")]),
    "'append' changes nothing": lambda t: t.mutate("Bridge", UUID, ("ports", "append", [UUID])),
    "neither a set nor a map": lambda t: t.mutate("Bridge", UUID, ("datapath_type", "insert", "x")),
    "cannot be counted": lambda t: t.mutate("Bridge", UUID, ("datapath_type", "+=", 1)),
    "names no rows of Bridge": lambda t: t.delete("Bridge", "br0"),  # type: ignore[arg-type]
    "column ports: expected": lambda t: t.mutate("Bridge", UUID, ("ports", "insert", ["no uuid"])),
    "column _uuid": lambda t: t.delete("Bridge", Uuid("no uuid")),
    r"\('ports',\) is not a mutation": lambda t: t.mutate("Bridge", UUID, ("ports",)),  # type: ignore[arg-type]
    "'ports' is not a mutation": lambda t: t.mutate("Bridge", UUID, "ports", "insert", [UUID]),  # type: ignore[arg-type]
    "7 is not a list of conditions": lambda t: t.delete("Bridge", 7),  # type: ignore[arg-type]
    "7 is not a row": lambda t: t.insert("Bridge", 7),  # type: ignore[arg-type]
    "'br0' is not a row": lambda t: t.update("Bridge", UUID, "br0"),  # type: ignore[arg-type]
    "a boolean is not a number": lambda t: t.insert("Bridge", flood_vlans=[True]),
    "takes inf s": lambda t: t.wait("Bridge", [], [], columns=["name"], timeout=float("inf")),
    "takes nan s": lambda t: t.wait("Bridge", [], [], columns=["name"], timeout=float("nan")),
    "takes -1 s": lambda t: t.wait("Bridge", [], [], columns=["name"], timeout=-1),
}


@pytest.mark.parametrize("said", WRONG)
async def test_what_does_not_fit_the_schema_is_refused_where_it_is_written(db: LiveDatabase, said: str) -> None:
    with pytest.raises(UsageError, match=said):  # noqa: PT012
        async with db.transaction() as t:
            t.delete("Bridge", [])
            WRONG[said](t)
    assert len(await db.find("Bridge")) == 1


async def test_transaction_is_entered_before_it_is_built(db: LiveDatabase) -> None:
    with pytest.raises(UsageError, match="not begun"):
        db.transaction().insert("Bridge", name="x")


async def test_values_are_pythons(db: LiveDatabase) -> None:
    async with db.transaction() as t:
        where = [("name", "==", "br0")]
        t.update("Bridge", where, flood_vlans=(1, 2), external_ids={"a": "b"}, fail_mode=None, datapath_id="1" * 16)
        t.mutate("Bridge", where, ("flood_vlans", "delete", {1}), ("flood_vlans", "insert", [3]))
        t.mutate("Bridge", where, ("external_ids", "delete", ["a"]), ("external_ids", "insert", {"c": "d"}))
        t.mutate(OVS, [], ("next_cfg", "+=", 3), ("next_cfg", "*=", 2))
    row = await db.get("Bridge", "br0", "flood_vlans", "external_ids", "fail_mode", "datapath_id")
    assert row == {"flood_vlans": {2, 3}, "external_ids": {"c": "d"}, "fail_mode": None, "datapath_id": "1" * 16}
    assert (await db.get(OVS, None))["next_cfg"] == 6
    (found,) = await db.find("Bridge", ("external_ids", "includes", {"c": "d"}), ("flood_vlans", "excludes", [1]))
    assert await db.get("Bridge", uuids.UUID(found["_uuid"]).__str__(), "name") == {"name": "br0"}


async def test_guards(db: LiveDatabase) -> None:
    row = await db.get("Bridge", "br0")
    await db.set("Bridge", "br0", stp_enable=True)
    with pytest.raises(TransactionTimedOut):  # noqa: PT012
        async with db.transaction() as t:
            t.verify("Bridge", row["_uuid"], row)
            t.update("Bridge", row["_uuid"], stp_enable=False)
    async with db.transaction(durable=True) as t:
        t.wait("Bridge", [("name", "==", "br0")], [{"stp_enable": True}], columns=["stp_enable"])
        t.wait("Bridge", [("name", "==", "br1")], [{"name": "br1"}], columns=["name"], until="!=")
    with pytest.raises(NotOwner):
        async with db.transaction() as t:
            t.assert_lock("l")
    async with db.lock("l", timeout=PATIENCE) as lock, db.transaction() as t:
        t.assert_lock(lock)


async def test_row_of_a_transaction_that_is_done_is_itself_in_the_next(db: LiveDatabase) -> None:
    async with db.transaction() as t:
        one = t.insert("Interface", name="i1", type="internal")
        port = t.insert("Port", name="p1", interfaces=[one])
        t.mutate("Bridge", [("name", "==", "br0")], ("ports", "insert", [port]))
    async with db.transaction() as t:
        t.insert("SSL", private_key="a", certificate="b", ca_cert="c")
        counted = t.update("Interface", one, external_ids={"a": "b"})
        found = t.select("Port", [("interfaces", "includes", [one])], columns=["name"])
    assert (counted.count, found.rows) == (1, [{"name": "p1"}])
    assert await db.wait_until("Interface", one.uuid, ("external_ids", "==", {"a": "b"}), timeout=PATIENCE)


async def test_row_of_a_transaction_that_was_never_done_is_no_other(db: LiveDatabase) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012
        async with db.transaction() as t:
            never = t.insert("Interface", name="i1", type="internal")
            raise ZeroDivisionError
    async with db.transaction() as t:
        with pytest.raises(UsageError, match="has no uuid"):
            t.update("Interface", never, external_ids={"a": "b"})


async def test_transaction_has_one_block_and_takes_nothing_after_it(db: LiveDatabase) -> None:
    transaction = db.transaction()
    async with transaction as t:
        t.mutate(OVS, [], ("next_cfg", "+=", 1))
        with pytest.raises(UsageError, match="entered before"):
            await transaction.__aenter__()
    for late in (
        lambda: t.insert("Bridge", name="x"),
        lambda: t.delete("Bridge", []),
        lambda: t.assert_lock("l"),
        lambda: t.select("Bridge"),
    ):
        with pytest.raises(UsageError, match="is over"):
            late()
    with pytest.raises(UsageError, match="entered before"):
        async with transaction:
            pass
    assert await db.get(OVS, None, "next_cfg") == {"next_cfg": 1}


async def test_refusal_of_the_server_has_its_type(db: LiveDatabase) -> None:
    with pytest.raises(ConstraintViolation):
        async with db.transaction() as t:
            t.insert(OVS)


async def test_rows_by_their_names(db: LiveDatabase, server: Server) -> None:
    await db.set("Bridge", "br0", {"other_config:a": "1", "other_config:b": "2", "stp_enable": True})
    await db.set("Bridge", "br0", {"other_config:a": "3"})
    assert await db.get("Bridge", "br0", "other_config") == {"other_config": {"a": "3", "b": "2"}}
    await db.add("Bridge", "br0", "flood_vlans", [1, 2])
    await db.remove("Bridge", "br0", "flood_vlans", 1)
    await db.remove("Bridge", "br0", "other_config", "b")
    row = await db.get("Bridge", "br0", "flood_vlans", "other_config")
    assert row == {"flood_vlans": {2}, "other_config": {"a": "3"}}
    await db.set(OVS, None, next_cfg=9)
    async with connect(server.address) as session:
        assert await session[OVS].get(OVS, None, "next_cfg") == {"next_cfg": 9}
    for write in (db.set("Bridge", "br9", stp_enable=True), db.set("Bridge", UUID, stp_enable=True)):
        with pytest.raises(NoSuchRow, match="no row of Bridge called"):
            await write
    with pytest.raises(UsageError, match="more than one row"):
        await db.get("Bridge", None)
    with pytest.raises(UsageError, match="have no name"):
        await db.get("QoS", "x")
    with pytest.raises(UsageError, match="no table Brigde"):
        await db.find("Brigde")


async def test_name_of_two_rows(server: Server) -> None:
    async with connect(server.address) as session:
        db = session["OVN_Southbound"]
        async with db.transaction() as t:
            for _ in range(2):
                t.insert("DHCP_Options", name="x", code=1, type="bool")
        with pytest.raises(NoSuchRow, match="2 rows of DHCP_Options are called x"):
            await db.set("DHCP_Options", "x", code=2)


async def test_waiting_until_a_row_is_as_wanted(db: LiveDatabase) -> None:
    bound = ("ofport", "!=", None)
    with pytest.raises(DeadlineExceeded):
        await db.wait_until("Interface", "br0", bound, timeout=0.05)
    waiting = asyncio.create_task(db.wait_until("Interface", "br0", bound, ("ofport", ">", 6), timeout=PATIENCE))
    for number in (1, 7):
        await db.set("Interface", "br0", ofport=number)
    assert await waiting == {"name": "br0", "ofport": 7}
    assert await db.wait_until(OVS, None, ("next_cfg", "==", 0), timeout=PATIENCE) == {"next_cfg": 0}
    with pytest.raises(UsageError):
        await db.wait_until(OVS, None, ("next_cfg", "==", "x"), timeout=PATIENCE)


async def test_answers_of_the_wrong_shape(db: LiveDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[dict[str, Any]] = [{}]

    async def transact(database: str, *operations: object, timeout: float = 5.0) -> list[dict[str, Any]]:
        return answers

    monkeypatch.setattr(db._over, "transact", transact)
    with pytest.raises(ProtocolError, match="without a uuid"):
        async with db.transaction() as t:
            t.insert(OVS)
    with pytest.raises(ProtocolError, match="without a count"):
        async with db.transaction() as t:
            t.delete("Bridge", NamedUuid("x"))


async def test_row_by_its_uuid_whatever_type_that_has(db: LiveDatabase) -> None:
    async with db.transaction() as t:
        made = t.insert("Bridge", name="by-uuid")
        t.mutate("Open_vSwitch", [], ("bridges", "insert", [made]))
    row = await db.get("Bridge", uuid.UUID(made.uuid))
    assert row["_uuid"] == made.uuid
    await db.set("Bridge", uuid.UUID(made.uuid), fail_mode="secure")
    async with db.transaction() as t:
        t.wait("Bridge", made, [{"_uuid": made.uuid, "fail_mode": "secure"}], columns=["_uuid", "fail_mode"])
        counted = t.update("Bridge", uuid.UUID(made.uuid), fail_mode="standalone")
    assert counted.count == 1


async def test_waiting_for_a_row_by_conditions_on_its_uuid(db: LiveDatabase) -> None:
    row = await db.get("Open_vSwitch", None)
    found = await db.wait_until("Open_vSwitch", None, ("_uuid", "==", row["_uuid"]), timeout=PATIENCE)
    assert isinstance(found, dict)


@pytest.mark.parametrize("record", [7, b"br0", ["br0"]])
async def test_what_names_no_row_is_refused(db: LiveDatabase, record: Any) -> None:
    with pytest.raises(UsageError, match="names no row of Bridge"):
        await db.get("Bridge", record)


@pytest.mark.parametrize("condition", ["name", ("name", "br0"), ("name", "==", "br0", "x")])
async def test_what_is_no_condition_is_refused(db: LiveDatabase, condition: Any) -> None:
    with pytest.raises(UsageError, match="is not a condition"):
        await db.find("Bridge", condition)
    with pytest.raises(UsageError, match="is not a condition"):
        async with db.transaction() as t:
            t.delete("Bridge", [condition])


async def test_key_is_set_in_a_map_alone(db: LiveDatabase) -> None:
    with pytest.raises(UsageError, match="Column fail_mode is not a map: it has no key x"):
        await db.set("Bridge", UUID, {"fail_mode:x": "secure"})


@pytest.mark.parametrize("operation", [7, "insert"])
async def test_what_is_no_operation_is_refused(db: LiveDatabase, server: Server, operation: Any) -> None:
    with pytest.raises(UsageError, match="is not an operation of a transaction"):
        await db.transact(operation)
    async with connect(server.address) as session:
        with pytest.raises(UsageError, match="is not an operation of a transaction"):
            await session.transact("Open_vSwitch", operation)

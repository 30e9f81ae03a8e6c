"""Monitors on servers that are old, slow or talk nonsense: fakes, because a real one does none of it on demand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from ovsnet.errors import ProtocolError
from ovsnet.io.pending import after_next_poll
from ovsnet.ovsdb import connect
from ovsnet.ovsdb.errors import UnknownMethod
from ovsnet.ovsdb.monitor_methods import NO_TXN
from tests.ovsdb.conftest import reply_to

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Handler, Serve

    Answering = Callable[[dict[str, Any]], Handler]

SCHEMA = {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}}}}
ROW = "00000000-0000-4000-8000-000000000001"
OTHER = "00000000-0000-4000-8000-000000000002"
SNAPSHOT = {"T": {ROW: {"initial": {"c": "x"}}}}


async def test_server_that_knows_only_rfc_7047(serve: Serve, answering: Answering) -> None:
    answers = {"get_schema": SCHEMA, "monitor": {"T": {ROW: {"new": {"c": "x"}}}}}
    async with await connect(await serve(answering(answers))) as session:
        monitor = await session.monitor("D", {"T": None})
        assert monitor.method == "monitor"
        assert monitor.tables == {"T": {ROW: {"c": "x"}}}


async def test_server_that_knows_no_monitor_at_all(serve: Serve, answering: Answering) -> None:
    async with await connect(await serve(answering({"get_schema": SCHEMA}))) as session:
        with pytest.raises(UnknownMethod):
            await session.monitor("D", {"T": None})
        await after_next_poll()
        assert not session._monitors


@pytest.mark.parametrize(
    "reply",
    [
        [],
        [True, NO_TXN],
        [False, NO_TXN, {"T": 7}],
        [False, NO_TXN, {"T": {ROW: 7}}],
        [False, NO_TXN, {"T": {ROW: {"initial": {"c": 7}}}}],
        [True, NO_TXN, {"T": {ROW: {"modify": {"c": "y"}}}}],
    ],
)
async def test_malformed_snapshot(serve: Serve, answering: Answering, reply: object) -> None:
    answers = {"get_schema": SCHEMA, "monitor_cond_since": reply, "set_db_change_aware": {}}
    async with await connect(await serve(answering(answers))) as session:
        with pytest.raises(ProtocolError):
            await session.monitor("D", {"T": None})


async def test_history_that_does_not_fit_is_not_asked_for_again(serve: Serve) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            request = json.loads(data)
            snapshot: list[object] = [False, "t1", SNAPSHOT]
            if request["method"] == "monitor_cond_since" and request["params"][3] == "t1":
                snapshot = [True, "t2", {"T": {OTHER: {"modify": {"c": "y"}}}}]
            answers = {"get_schema": SCHEMA, "set_db_change_aware": {}, "monitor_cond_since": snapshot}
            writer.write(json.dumps(reply_to(request, answers)).encode())

    address = await serve(handle)
    async with connect(address) as session:
        old = await session.monitor("D", {"T": None})
    async with connect(address) as session:
        with pytest.raises(ProtocolError, match="never sent"):
            await session.monitor("D", {"T": None}, since=old)
    async with connect(address) as session:
        new = await session.monitor("D", {"T": None}, since=old)
        assert not new.resumed
        assert new.tables == {"T": {ROW: {"c": "x"}}}


def notifying(answering: Answering, *notifications: object) -> Handler:
    """A server that sends notifications right behind the snapshot, in the same packet."""
    answer = answering({"get_schema": SCHEMA, "set_db_change_aware": {}, "monitor_cond_since": [False, "t1", SNAPSHOT]})

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        write = writer.write

        def and_notify(data: Any) -> None:
            write(data + b"".join(map(msgspec.json.encode, notifications)) if b"t1" in data else data)

        writer.write = and_notify  # type: ignore[method-assign]
        await answer(reader, writer)

    return handle


def notification(method: str, *params: object) -> dict[str, object]:
    return {"id": None, "method": method, "params": params}


def update3(row: object, *, key: str = "ovsnet-1", txn: str = "t2") -> dict[str, object]:
    return notification("update3", key, txn, {"T": {ROW: row}})


async def test_updates_behind_the_snapshot_wait_for_it(serve: Serve, answering: Answering) -> None:
    handler = notifying(answering, update3({"modify": {"c": "y"}}), update3({"modify": {"c": "z"}}, txn="t3"))
    async with await connect(await serve(handler)) as session:
        monitor = await session.monitor("D", {"T": None})
        assert monitor.tables == {"T": {ROW: {"c": "z"}}}
        assert monitor.last_txn_id == "t3"


async def test_update_for_a_monitor_that_is_gone_is_ignored(serve: Serve, answering: Answering) -> None:
    handler = notifying(answering, update3({"delete": None}, key="gone"), notification("monitor_canceled", "gone"))
    async with await connect(await serve(handler)) as session:
        assert (await session.monitor("D", {"T": None})).synced


async def test_unknown_notification_is_ignored(serve: Serve, answering: Answering) -> None:
    async with await connect(await serve(notifying(answering, notification("stolen", "lock")))) as session:
        assert (await session.monitor("D", {"T": None})).synced


@pytest.mark.parametrize("row", [{"modify": {"c": 7}}, {"modify": {"zz": 7}}, {}, 7])
async def test_malformed_update_ends_the_monitor_and_is_never_gone_on_from(
    serve: Serve, answering: Answering, row: object
) -> None:
    async with await connect(await serve(notifying(answering, update3(row)))) as session:
        monitor = await session.monitor("D", {"T": None})
        assert isinstance(await asyncio.wait_for(monitor.closed, 10), ProtocolError)
        assert not session.closed.done()
        assert not monitor._may_resume(monitor)


async def test_malformed_update_later_on_ends_the_monitor_too(serve: Serve, answering: Answering) -> None:
    async with await connect(await serve(notifying(answering))) as session:
        monitor = await session.monitor("D", {"T": None})
        monitor.on_update("t2", msgspec.Raw(b'{"T":{"x":{"modify":{"c":7}}}}'))
        assert isinstance(monitor.closed.result(), ProtocolError)
        monitor.on_update("t3", msgspec.Raw(b"{}"))
        assert monitor.last_txn_id == "t1"


async def test_slow_snapshot_is_no_silence(serve: Serve, answering: Answering) -> None:
    """Bytes that dribble in extend the deadline: the whole takes far longer than ``timeout``, and arrives."""
    answer = answering({"get_schema": SCHEMA, "set_db_change_aware": {}, "monitor_cond_since": [False, "t1", SNAPSHOT]})

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        write, dribbles = writer.write, list[asyncio.Task[None]]()

        async def dribble(data: bytes) -> None:
            for byte in data:
                write(bytes([byte]))
                await asyncio.sleep(0.005)

        def slowly(data: Any) -> None:
            if b"t1" in data:
                dribbles.append(asyncio.create_task(dribble(data)))
            else:
                write(data)

        writer.write = slowly  # type: ignore[method-assign]
        await answer(reader, writer)
        await asyncio.gather(*dribbles)

    async with await connect(await serve(handle)) as session:
        await session.get_schema("D")
        monitor = await session.monitor("D", {"T": None}, timeout=0.2)
        assert monitor.tables == {"T": {ROW: {"c": "x"}}}

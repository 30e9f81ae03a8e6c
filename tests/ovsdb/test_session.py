"""A session with a real ovsdb-server, and what it makes of one that goes wrong."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import uvloop

from ovsnet.errors import ConnectionLost, ConnectionRefused, DeadlineExceeded, ProtocolError, SocketMissing, UsageError
from ovsnet.io.address import Address
from ovsnet.ovsdb import NamedUuid, Session, Uuid, connect
from ovsnet.ovsdb.errors import UnknownDatabase, UnknownMethod
from ovsnet.ovsdb.operations import insert, mutate, select
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Handler, Serve, Server

    Answering = Callable[[dict[str, Any]], Handler]


async def test_echo_takes_a_little_time(session: Session) -> None:
    assert 0 < await session.echo() < 1


async def test_the_server_is_named_by_its_pid(server: Server, session: Session) -> None:
    assert session.peer_pid == server.pid


async def test_list_dbs(session: Session) -> None:
    assert sorted(await session.list_dbs()) == ["OVN_Southbound", "Open_vSwitch", "_Server"]


async def test_server_id_is_the_same_for_all_sessions(server: Server, session: Session) -> None:
    async with await connect(server.address) as other:
        assert await session.get_server_id() == await other.get_server_id()


async def test_unknown_method_is_an_error_of_its_own(session: Session) -> None:
    with pytest.raises(UnknownMethod):
        await session.request("convert_to_gold", (), timeout=5)


async def test_schema_is_fetched_once(session: Session) -> None:
    schema = await session.get_schema("Open_vSwitch")
    assert schema is await session.get_schema("Open_vSwitch")
    assert schema.name == "Open_vSwitch"


async def test_schema_of_an_unknown_database(session: Session) -> None:
    with pytest.raises(UnknownDatabase, match="unknown database"):
        await session.get_schema("Open_vBridge")


def test_connecting_does_not_import_ovs() -> None:
    """A probe that never asks for a schema must not pay 50 ms and 5 MB for one."""
    program = "import sys, ovsnet.ovsdb; sys.exit(any(name == 'ovs' or name[:4] == 'ovs.' for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


async def test_select_gives_typed_rows(session: Session) -> None:
    await session.transact(
        "Open_vSwitch",
        insert("Bridge", {"name": "br0", "external_ids": {"a": "b"}, "flood_vlans": {1, 2}}, name="new"),
        insert("Open_vSwitch", {"bridges": {NamedUuid("new")}}),
    )
    (row,) = await session.select("Open_vSwitch", "Bridge", [("name", "==", "br0")])
    assert isinstance(row["_uuid"], Uuid)
    assert row["external_ids"] == {"a": "b"}
    assert row["flood_vlans"] == {1, 2}
    assert row["datapath_id"] is None
    assert row["stp_enable"] is False


async def test_select_of_an_unknown_table(session: Session) -> None:
    with pytest.raises(UsageError, match="no table Brigde"):
        await session.select("Open_vSwitch", "Brigde")


async def test_two_sessions_see_each_others_writes(server: Server, session: Session) -> None:
    async with await connect(server.address) as other:
        await other.transact("Open_vSwitch", insert("Open_vSwitch", {"next_cfg": 7}))
        assert await session.select("Open_vSwitch", "Open_vSwitch", columns=["next_cfg"]) == [{"next_cfg": 7}]


async def test_calls_overlap(session: Session) -> None:
    results = await asyncio.gather(*(session.list_dbs() for _ in range(200)))
    assert all(result == results[0] for result in results)


@pytest.mark.usefixtures("databases")
def test_it_works_on_uvloop() -> None:
    """Its transports are not asyncio.Transport, and its clock stands still within a pass."""
    from ovsnet.sandbox.node import Sandbox

    async def run() -> list[str]:
        async with Sandbox(ovn=False) as node, await connect(Address.unix(node.rundir / "db.sock")) as session:
            await session.echo()
            return await session.list_dbs()

    assert "Open_vSwitch" in uvloop.run(run())


# What goes wrong.


async def test_no_socket(server: Server) -> None:
    with pytest.raises(SocketMissing):
        await connect(Address.unix(server.path + ".not"))


async def test_killed_server_leaves_a_stale_socket(server: Server) -> None:
    server.kill()
    with pytest.raises(ConnectionRefused):
        await connect(server.address)


async def test_killed_during_a_call(server: Server, session: Session) -> None:
    await server.freeze()
    call = asyncio.create_task(session.list_dbs(timeout=30))
    await asyncio.sleep(0)
    server.kill()
    with pytest.raises(ConnectionLost):
        await call
    assert isinstance(await session.closed, ConnectionLost)
    with pytest.raises(ConnectionLost):
        await session.echo()


async def test_frozen_server_accepts_and_gives_no_answer(server: Server) -> None:
    await server.freeze()
    async with await connect(server.address) as session:
        with pytest.raises(DeadlineExceeded, match=r"no answer within 0\.05 s"):
            await session.echo(timeout=0.05)


async def test_a_thawed_server_goes_on_and_its_late_answer_does_no_harm(server: Server, session: Session) -> None:
    await server.freeze()
    with pytest.raises(DeadlineExceeded):
        await session.echo(timeout=0.02)
    await server.thaw()
    assert await session.echo(timeout=10) > 0


async def test_closing_does_not_wait_for_a_peer_that_reads_nothing(server: Server) -> None:
    await server.freeze()
    session = await connect(server.address)
    with pytest.raises(DeadlineExceeded):
        await session.transact("Open_vSwitch", {"op": "comment", "comment": "x" * (8 << 20)}, timeout=0.05)
    await session.aclose()
    assert session.closed.done()


async def test_restarted_server_needs_a_new_session(server: Server, session: Session) -> None:
    server.kill()
    await session.closed
    await server.start()
    with pytest.raises(ConnectionLost):
        await session.echo()
    async with await connect(server.address) as second:
        assert await second.echo() > 0


async def test_cancelled_call_leaves_the_session_usable(server: Server, session: Session) -> None:
    await server.freeze()
    call = asyncio.create_task(session.echo(timeout=30))
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await server.thaw()
    assert await session.echo(timeout=10) > 0


# What only a fake does.


async def test_fake_peer_asks_for_an_echo(serve: Serve) -> None:
    """RFC 7047 section 4.1.11: the same id, the same params."""
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"id":"echo","method":"echo","params":[1,"two"]}')
        heard.set_result(await reader.read(1000))
        await reader.read(1)

    async with await connect(await serve(ask)):
        assert await heard in (
            b'{"id":"echo","result":[1,"two"],"error":null}',
            b'{"error":null,"id":"echo","result":[1,"two"]}',
        )


async def test_peer_that_asks_something_else_is_refused(serve: Serve) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"id":1,"method":"dance","params":[]}')
        heard.set_result(await reader.read(1000))
        await reader.read(1)

    async with await connect(await serve(ask)):
        assert b"unknown method" in await heard


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"HTTP/1.1 400 Bad Request\r\n\r\n", id="another protocol"),
        pytest.param(b'{"id":99,"result":[],"error":null}', id="reply to no request"),
        pytest.param(b'{"id":null,"method":"update3","params":[1]}', id="malformed update"),
        pytest.param(b'{"id":null,"method":"monitor_canceled","params":[]}', id="malformed cancellation"),
    ],
)
async def test_garbage_ends_the_session(serve: Serve, garbage: bytes) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(garbage)
        await reader.read(1000)

    async with await connect(await serve(handle)) as session:
        with pytest.raises(ProtocolError):
            await session.list_dbs(timeout=10)
        assert isinstance(session.closed.result(), ProtocolError)


async def test_answer_that_is_no_utf8_fails_its_call(serve: Serve) -> None:
    """The body is decoded by the call; the envelope around it was sound, so the session goes on."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b'{"id":0,"result":["\xff"],"error":null}')
        await reader.read(1000)

    async with await connect(await serve(handle)) as session:
        with pytest.raises(ProtocolError):
            await session.list_dbs(timeout=10)
        assert not session.closed.done()


@pytest.mark.parametrize(
    ("method", "result"),
    [("list_dbs", {"a": 1}), ("list_dbs", [1]), ("get_schema", []), ("get_schema", {"name": "x"})],
)
async def test_answer_of_the_wrong_shape(serve: Serve, answering: Answering, method: str, result: object) -> None:
    async with await connect(await serve(answering({method: result}))) as session:
        with pytest.raises(ProtocolError):
            await (session.list_dbs() if method == "list_dbs" else session.get_schema("Open_vSwitch"))


@pytest.mark.parametrize("results", [[], [{}, {}], [{"rows": {}}], [{}], [{"rows": [1]}]])
async def test_transaction_of_the_wrong_shape(serve: Serve, answering: Answering, results: object) -> None:
    schema = {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}}}}
    async with await connect(await serve(answering({"transact": results, "get_schema": schema}))) as session:
        with pytest.raises(ProtocolError):
            await session.select("D", "T")


@pytest.mark.parametrize("row", [{"c": 1}, {"zz": "x"}, {"_uuid": "x"}])
async def test_row_of_the_wrong_shape(serve: Serve, answering: Answering, row: object) -> None:
    schema = {"name": "D", "tables": {"T": {"columns": {"c": {"type": "string"}}}}}
    answers = {"transact": [{"rows": [row]}], "get_schema": schema}
    async with await connect(await serve(answering(answers))) as session:
        with pytest.raises(ProtocolError, match="of T"):
            await session.select("D", "T")


async def test_half_closed_in_the_middle_of_an_answer(serve: Serve) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(b'{"id":0,"result":["Open_')
        writer.write_eof()
        await reader.read()

    async with await connect(await serve(handle)) as session:
        with pytest.raises(ConnectionLost, match="inside a message"):
            await session.list_dbs(timeout=10)


async def test_closed_between_answers(serve: Serve) -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)

    async with await connect(await serve(handle)) as session:
        with pytest.raises(ConnectionLost):
            await session.list_dbs(timeout=10)


async def test_answer_that_never_ends_is_cut_off(serve: Serve) -> None:
    """Memory is bounded: a peer cannot make us hold more than max_bytes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'{"id":0,"result":["')
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    async with await connect(await serve(handle), max_bytes=1 << 20) as session:
        with pytest.raises(ProtocolError):
            await session.list_dbs(timeout=30)


async def test_mutation_of_a_singleton(session: Session) -> None:
    await session.transact("Open_vSwitch", insert("Open_vSwitch", {}))
    await session.transact("Open_vSwitch", mutate("Open_vSwitch", [("next_cfg", "+=", 1)]))
    (result,) = await session.transact("Open_vSwitch", select("Open_vSwitch", columns=["next_cfg"]))
    assert result == {"rows": [{"next_cfg": 1}]}


async def test_peer_that_asks_what_is_refused_and_reads_nothing_is_given_up(serve: Serve) -> None:
    """Refusals are bounded as answers are. The ids make them large, so that there need not be a flood of them."""

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = {"id": "x" * 5000, "method": "nope", "params": []}
        while True:
            writer.write(json.dumps(request).encode())
            await writer.drain()

    async with connect(await serve(ask)) as session:
        error = await asyncio.wait_for(session.closed, PATIENCE)
        assert "reads none of our answers" in str(error)
        assert str(session.address) in str(error)


async def test_errors_name_the_server(serve: Serve, answering: Answering) -> None:
    address = await serve(answering({"list_dbs": 7}))
    async with connect(address) as session:
        with pytest.raises(ProtocolError, match=str(address)):
            await session.list_dbs()

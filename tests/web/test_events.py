"""``/events``: who listens hears of every change, and holds nobody up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import aiohttp
import pytest

import ovsnet.web.connections
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.state import Change
from ovsnet.sandbox.waiting import until
from ovsnet.web import events, pages
from ovsnet.web.connections import CROWDED, SLOW_READER
from tests.patience import PATIENCE
from tests.test_texts import EVIL, SHOWN
from tests.web.conftest import Serve, Served

Stream = AsyncGenerator[tuple[str, Any], None]


@contextlib.asynccontextmanager
async def listening(served: Served) -> AsyncIterator[Stream]:
    """The events of one client, which has heard the first one when the block begins."""

    async def read(response: aiohttp.ClientResponse) -> Stream:
        name = ""
        async for line in response.content:
            key, _, value = line.decode().rstrip("\n").partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                yield name, json.loads(value)

    async with served.client.get(served.urls[0] + "/events") as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        async with contextlib.aclosing(read(response)) as stream:
            yield stream


def tell(served: Served, name: str, status: Status, detail: str = "") -> None:
    """As a running agent does: record, and tell the listeners what changed."""
    for change in served.agent.tell(name, status, detail=detail):
        served.agent.announce(change)


async def test_stream_begins_with_the_whole_document(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        async with listening(served) as stream:
            name, document = await anext(stream)
            assert name == "status"
            assert document["diagnosis"]["code"] == "healthy"
            assert json.loads((await served.get("/status"))[1]).keys() == document.keys()


async def test_change_of_a_result_and_of_the_diagnosis_are_told_as_the_document_has_them(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        async with listening(served) as stream:
            await anext(stream)
            tell(served, "ovsdb.echo", Status.FAILED, "gone")
            told = dict([await anext(stream), await anext(stream)])
            document = json.loads((await served.get("/status"))[1])
            assert told["result"] == next(each for each in document["checks"] if each["name"] == "ovsdb.echo")
            assert told["diagnosis"] == document["diagnosis"]


async def test_what_an_event_carries_does_nothing_and_breaks_no_stream(serve: Serve) -> None:
    async with serve() as served:
        served.agent.name = EVIL
        async with listening(served) as stream:
            assert (await anext(stream))[1]["node"] == SHOWN
            tell(served, "ovsdb.echo", Status.FAILED, EVIL)
            assert (await anext(stream))[1]["detail"] == SHOWN


async def test_every_listener_hears_and_who_left_is_forgotten(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        before = served.agent.listeners
        async with listening(served) as first, listening(served) as second:
            await anext(first)
            await anext(second)
            assert served.agent.listeners == before + 2
            tell(served, "openflow.flows", Status.SLOW)
            assert (await anext(first))[0] == (await anext(second))[0] == "result"
        while served.agent.listeners > before:  # noqa: ASYNC110 - our end learns of it by reading
            await asyncio.sleep(0.02)


async def test_stream_ends_when_the_agent_leaves(serve: Serve) -> None:
    async with serve() as served, listening(served) as stream:
        await anext(stream)
        served.agent.leaving = True
        assert [each async for each in stream] == []


async def test_idle_stream_shows_that_we_live_and_how_long_answers_took(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "RECHECK", 0.01)
    async with serve() as served:
        served.agent.all_well()
        async with listening(served) as stream:
            await anext(stream)
            name, beat = await anext(stream)
    assert name == "beat"
    assert beat["now"] == pytest.approx(served.agent.now + served.agent.wall_offset)
    assert beat["rtt_seconds"]["ovsdb.echo"] == 0.001


async def test_who_is_far_behind_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "FAR_BEHIND", 3)
    async with serve() as served, listening(served) as stream:
        await anext(stream)
        diagnosis = served.agent.health.diagnosis
        for _ in range(10):  # more than the queue holds, before the stream's task runs again
            served.agent.announce(Change(None, diagnosis))
        assert len([each async for each in stream]) <= 3


async def test_head_says_what_get_would_and_ends(serve: Serve) -> None:
    async with serve() as served:
        status, body, headers = await served.get("/events", method="HEAD")
        assert (status, body) == (200, "")
        assert headers["Content-Type"].startswith("text/event-stream")


async def test_page_of_a_stranger_that_resolves_to_us_hears_nothing(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.get("/events", Host="evil.example"))[0] == 421


async def test_client_that_reads_no_events_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once nothing more fits into the kernel's buffers."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, asyncio.timeout(PATIENCE):
        loop = asyncio.get_running_loop()
        result = Result("ovsdb.echo", Status.FAILED, served.agent.now, detail="x" * 100_000)
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(client, (served.host, served.port))
            await loop.sock_sendall(client, b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            while not served.agent.counters.cut:
                served.agent.announce(Change(result, None))
                await asyncio.sleep(0.005)
        assert served.agent.counters.cut == {SLOW_READER: 1}
        assert (await served.get("/livez"))[0] == 200


async def test_who_takes_events_gives_way_after_who_asks_nothing(serve: Serve) -> None:
    """A page that is open for hours asked long ago, and is not an idle client."""
    async with serve(max_connections=2) as served, asyncio.timeout(PATIENCE), listening(served) as stream:
        await anext(stream)
        idle, idles_writer = await asyncio.open_connection(served.host, served.port)
        idles_writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await idle.readuntil(b"ok\n")
        tell(served, "ovsdb.echo", Status.FAILED)
        assert (await anext(stream))[0] == "result"
        _, newest = await asyncio.open_connection(served.host, served.port)
        with contextlib.suppress(ConnectionResetError):
            assert await idle.read() == b""
        assert served.agent.counters.cut == {CROWDED: 1}
        for writer in (idles_writer, newest):
            writer.close()
        tell(served, "ovsdb.echo", Status.OK)
        while (await anext(stream))[0] != "result":
            pass


async def test_client_that_leaves_is_forgotten_at_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or a crowd that comes and goes would be as large as all who came within a beat."""
    monkeypatch.setattr(events, "RECHECK", 1000.0)
    async with serve() as served, asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(served.host, served.port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await reader.readuntil(b"event: status")
        assert served.agent.listeners == 1
        writer.transport.abort()
        await until(lambda: served.agent.listeners == 0, 10, "It is still told of changes.")
        assert (await served.get("/livez"))[0] == 200


async def test_clients_that_come_together_share_a_document_until_something_changes(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "REST", 1e6)
    async with serve() as served, asyncio.timeout(PATIENCE):
        made: list[dict[str, object]] = []
        document = served.agent.document

        def making() -> dict[str, object]:
            made.append(document())
            return made[-1]

        monkeypatch.setattr(served.agent, "document", making)
        for _ in range(5):
            await served.get("/status")
        assert len(made) == 1
        served.agent.changes += 1
        await served.get("/status")
        assert len(made) == 2

"""How many connections the server holds, and which it cuts: idle ones, slow ones, or more than there is room for."""

from __future__ import annotations

import asyncio
import contextlib
import socket

import pytest

import ovsnet.web.connections
import ovsnet.web.metrics
import ovsnet.web.pages
from ovsnet.agent.agent import Agent
from ovsnet.io.listen import SEND_BUFFER
from ovsnet.sandbox.waiting import until
from ovsnet.web.connections import CROWDED, SLOW_READER
from tests.patience import PATIENCE
from tests.web.conftest import Serve
from tests.web.raw_client import ASK, PROBE, answer, connected, say


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /livez HTT", ASK[:-2], b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nx", ASK],
    ids=["idle", "line", "head", "body", "idle-after-an-answer"],
)
async def test_client_that_keeps_us_waiting_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """We never end our side: only the server's clock ends this."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.1)
    async with serve() as served, connected(served) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(sent)
        await reader.read()
        assert reader.at_eof()


async def test_client_that_dribbles_its_request_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that come do not buy time: a whole request has to come."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, connected(served) as (reader, writer), asyncio.timeout(PATIENCE):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n")
        cut = asyncio.ensure_future(reader.read())
        with contextlib.suppress(ConnectionError):
            while not cut.done():
                writer.write(b"X: y\r\n")
                await writer.drain()
                await asyncio.wait([cut], timeout=0.02)
        with contextlib.suppress(ConnectionError):
            await cut
        assert (await served.get("/livez"))[0] == 200


async def test_one_connection_over_the_cap_makes_the_oldest_idle_one_give_way(serve: Serve) -> None:
    """So slow or idle clients that hold every place shut no probe out."""
    async with serve(max_connections=2) as served, contextlib.AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        (oldest, _), (reader, writer) = [await stack.enter_async_context(connected(served)) for _ in range(2)]
        writer.write(ASK)
        await answer(reader)
        newest, newest_writer = await stack.enter_async_context(connected(served))
        with contextlib.suppress(ConnectionResetError):
            assert await oldest.read() == b""
        assert served.agent.counters.cut == {CROWDED: 1}
        for each, its_writer in ((reader, writer), (newest, newest_writer)):
            its_writer.write(ASK)
            assert (await answer(each))[1] == b"ok\n"


async def test_who_asked_last_gives_way_last(serve: Serve) -> None:
    async with serve(max_connections=2) as served, contextlib.AsyncExitStack() as stack, asyncio.timeout(PATIENCE):
        (oldest, writer), (second, _) = [await stack.enter_async_context(connected(served)) for _ in range(2)]
        writer.write(ASK)
        await answer(oldest)
        await stack.enter_async_context(connected(served))
        with contextlib.suppress(ConnectionResetError):
            assert await second.read() == b""
        writer.write(ASK)
        assert (await answer(oldest))[1] == b"ok\n"


async def test_probes_that_wait_while_our_loop_stands_still_are_all_answered(serve: Serve) -> None:
    """Hundreds that come at once are over the cap before a byte of them is read. None of them is idle."""
    async with serve(max_connections=2) as served, asyncio.timeout(PATIENCE):
        await served.get("/livez")
        with contextlib.ExitStack() as stack:
            probes = [stack.enter_context(socket.socket()) for _ in range(300)]
            for probe in probes:  # nothing here lets the loop turn
                probe.connect((served.host, served.port))
                probe.sendall(PROBE)
                probe.setblocking(False)
            loop = asyncio.get_running_loop()
            said = [await loop.sock_recv(probe, 4096) for probe in probes]
        assert {each.partition(b"\r\n")[0] for each in said} == {b"HTTP/1.1 200 OK"}


async def test_more_than_the_kernel_would_queue_are_cut_before_they_are_read(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or a loop that is held up would let any number in."""
    monkeypatch.setattr(ovsnet.web.connections, "BACKLOG", 3)
    async with serve(max_connections=2) as served, asyncio.timeout(PATIENCE):
        with contextlib.ExitStack() as stack:
            probes = [stack.enter_context(socket.socket()) for _ in range(7)]
            for probe in probes:  # nothing here lets the loop turn
                probe.connect((served.host, served.port))
                probe.sendall(PROBE)
                probe.setblocking(False)
            loop = asyncio.get_running_loop()
            said = await asyncio.gather(*(loop.sock_recv(probe, 4096) for probe in probes), return_exceptions=True)
        assert [isinstance(each, ConnectionResetError) for each in said] == [True, True, *[False] * 5]


async def test_kernel_keeps_little_for_who_does_not_read(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or five hundred of them would hold gigabytes."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, asyncio.timeout(PATIENCE):
        page = len((await served.get("/metrics"))[1])
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, (served.host, served.port))
            await loop.sock_sendall(client, ASK.replace(b"/livez", b"/metrics") * 500)
            await until(lambda: served.agent.counters.cut[SLOW_READER] == 1, 30, "The slow reader was never cut.")
        assert served.agent.counters.requests["/metrics", 200] * page < 6 * SEND_BUFFER


async def test_crowd_that_scrapes_at_once_shares_pages(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = []
    render = ovsnet.web.metrics.render

    def rendering(agent: Agent, content_type: str) -> bytes:
        rendered.append(content_type)
        return render(agent, content_type)

    monkeypatch.setattr(ovsnet.web.metrics, "render", rendering)
    monkeypatch.setattr(ovsnet.web.pages, "REST", 9.0)
    async with serve() as served, asyncio.timeout(PATIENCE), contextlib.AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(connected(served)) for _ in range(64)]
        for _, writer in crowd:
            writer.write(ASK.replace(b"/livez", b"/metrics"))
        for reader, _ in crowd:
            assert (await answer(reader))[0].startswith(b"HTTP/1.1 200 ")
    assert 1 <= len(rendered) <= 32


async def test_client_that_reads_no_answer_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks on and on; once nothing more fits into the kernel's buffers, its place is taken away."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, asyncio.timeout(PATIENCE):
        loop = asyncio.get_running_loop()
        with socket.socket() as client:
            client.setblocking(False)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await loop.sock_connect(client, (served.host, served.port))
            with contextlib.suppress(ConnectionError):
                while not served.agent.counters.cut:
                    await loop.sock_sendall(client, ASK.replace(b"/livez", b"/metrics") * 100)
        assert served.agent.counters.cut == {SLOW_READER: 1}
        assert (await served.get("/livez"))[0] == 200


async def test_place_of_a_closed_connection_is_free_again(serve: Serve) -> None:
    async with serve(max_connections=1) as served, asyncio.timeout(PATIENCE):
        for _ in range(3):
            while not (await say(served, PROBE)).endswith(b"ok\n"):
                pass  # the server has not noticed the last one's end


async def test_200_idle_clients_do_not_stop_a_probe(serve: Serve) -> None:
    async with serve() as served, contextlib.AsyncExitStack() as stack:
        for _ in range(200):
            await stack.enter_async_context(connected(served))
        assert (await say(served, PROBE)).endswith(b"ok\n")

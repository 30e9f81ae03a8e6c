"""The server on the wire: HTTP as clients speak it, well and badly, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

import ovsnet.web.connections
import ovsnet.web.metrics
from ovsnet.agent.agent import Agent
from ovsnet.errors import UnfitEnvironment
from ovsnet.io.listen import SEND_BUFFER
from ovsnet.sandbox.waiting import until
from ovsnet.web.connections import CROWDED, SLOW_READER
from ovsnet.web.endpoints import ENDPOINTS
from tests.web.conftest import Serve, Served

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

PROBE = b"GET /livez HTTP/1.1\r\nHost: x\r\nUser-Agent: kube-probe/1.30\r\nAccept: */*\r\nConnection: close\r\n\r\n"
ASK = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"


@contextlib.asynccontextmanager
async def connected(served: Served) -> AsyncIterator[Stream]:
    reader, writer = await asyncio.open_connection(served.host, served.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def say(served: Served, data: bytes) -> bytes:
    """Send bytes on a connection of their own, and return all that comes back until the server ends it."""
    async with connected(served) as (reader, writer), asyncio.timeout(30):
        writer.write(data)
        return await reader.read()


async def answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of the next answer on a connection that stays open."""
    async with asyncio.timeout(30):
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return head, await reader.readexactly(int(length.partition(b":")[2]))


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", ["/livez", "/nonsense"])
async def test_methods_that_could_change_something_are_405(serve: Serve, method: str, path: str) -> None:
    async with serve() as served:
        status, _, headers = await served.get(path, method)
        assert (status, headers["Allow"]) == (405, "GET, HEAD")
        assert headers["Cache-Control"] == "no-store"
        assert (await served.get("/livez"))[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/status", "/metrics", "/nonsense"])
async def test_head_is_get_without_its_body(serve: Serve, path: str) -> None:
    async with serve() as served:
        status, body, headers = await served.get(path)
        said = await say(served, f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    head, _, rest = said.partition(b"\r\n\r\n")
    assert int(head.split()[1]) == status
    assert rest == b""
    assert b"Content-Length: " in head
    if path != "/metrics":  # whose numbers change
        assert f"Content-Length: {headers['Content-Length']}".encode() in head
        assert int(headers["Content-Length"]) == len(body)


def segments_received(sock: socket.socket) -> int:
    """``tcpi_data_segs_in`` of linux/tcp.h: how many segments with data came in."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int(struct.unpack_from("I", info, 152)[0])


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/startupz", "/ovs/livez", "/readyz/ovsdb.echo"])
async def test_probe_is_answered_in_one_write(serve: Serve, path: str) -> None:
    """A kubelet throws away a probe whose body stalls behind its head, instead of counting it."""
    async with serve() as served, connected(served) as (reader, writer):
        writer.write(PROBE.replace(b"/livez", path.encode()))
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 ")
        assert segments_received(writer.get_extra_info("socket")) == 1


async def test_probe_of_http_1_0_is_answered_and_closed(serve: Serve) -> None:
    async with serve() as served:
        said = await say(served, b"GET /livez HTTP/1.0\r\n\r\n")
    assert said.startswith(b"HTTP/1.0 200 OK\r\n")
    assert said.endswith(b"\r\n\r\nok\n")


async def test_pipelined_requests_are_answered_in_order(serve: Serve) -> None:
    async with serve() as served, connected(served) as (reader, writer):
        writer.write(ASK + ASK.replace(b"/livez", b"/nonsense") + ASK)
        codes = [int((await answer(reader))[0].split()[1]) for _ in range(3)]
    assert codes == [200, 404, 200]


async def test_connection_that_is_kept_serves_many_requests(serve: Serve) -> None:
    async with serve() as served, connected(served) as (reader, writer):
        for _ in range(5):
            writer.write(ASK)
            assert (await answer(reader))[1] == b"ok\n"


async def test_request_in_pieces_is_answered(serve: Serve) -> None:
    async with serve() as served, connected(served) as (reader, writer):
        for index in range(len(ASK)):
            writer.write(ASK[index : index + 1])
            await writer.drain()
            await asyncio.sleep(0)
        assert (await answer(reader))[1] == b"ok\n"


async def test_unix_socket_is_served_and_a_stale_one_replaced(serve: Serve, tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    async with serve(f"unix:{path}") as served:
        assert served.urls == [f"http+unix://{path}"]
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as client,
            client.get("http://x/livez") as response,
        ):
            assert (response.status, await response.text()) == (200, "ok\n")


async def test_ipv6_and_ipv4_are_served_side_by_side(serve: Serve) -> None:
    async with serve("[::1]:0", "127.0.0.1:0") as served:
        assert served.urls[0].startswith("http://[::1]:")
        for url in served.urls:
            async with served.client.get(f"{url}/livez") as response:
                assert response.status == 200


async def test_address_in_use_is_refused_and_the_first_listener_freed(serve: Serve) -> None:
    async with serve() as served:
        taken = served.urls[0].removeprefix("http://")
        with pytest.raises(UnfitEnvironment, match="Address already in use"):
            async with serve("127.0.0.1:0", taken):
                pass
        assert (await served.get("/livez"))[0] == 200


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /livez HTT", ASK[:-2], b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx", ASK],
    ids=["idle", "line", "head", "body", "idle-after-an-answer"],
)
async def test_client_that_keeps_us_waiting_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch, sent: bytes) -> None:
    """We never end our side: only the server's clock ends this."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.1)
    async with serve() as served, connected(served) as (reader, writer), asyncio.timeout(30):
        writer.write(sent)
        await reader.read()
        assert reader.at_eof()


async def test_client_that_dribbles_its_request_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that come do not buy time: a whole request has to come."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, connected(served) as (reader, writer), asyncio.timeout(30):
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n")
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
    async with serve(max_connections=2) as served, contextlib.AsyncExitStack() as stack, asyncio.timeout(30):
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
    async with serve(max_connections=2) as served, contextlib.AsyncExitStack() as stack, asyncio.timeout(30):
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
    async with serve(max_connections=2) as served, asyncio.timeout(30):
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


async def test_kernel_keeps_little_for_who_does_not_read(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or five hundred of them would hold gigabytes."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, asyncio.timeout(30):
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

    def rendering(agent: Agent, accept: str) -> tuple[bytes, str]:
        rendered.append(accept)
        return render(agent, accept)

    monkeypatch.setattr(ovsnet.web.metrics, "render", rendering)
    monkeypatch.setattr(ovsnet.web.metrics, "REST", 9.0)
    async with serve() as served, asyncio.timeout(30), contextlib.AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(connected(served)) for _ in range(64)]
        for _, writer in crowd:
            writer.write(ASK.replace(b"/livez", b"/metrics"))
        for reader, _ in crowd:
            assert (await answer(reader))[0].startswith(b"HTTP/1.1 200 ")
    assert 1 <= len(rendered) <= 32


async def test_client_that_reads_no_answer_is_cut(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """It asks on and on; once nothing more fits into the kernel's buffers, its place is taken away."""
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.2)
    async with serve() as served, asyncio.timeout(30):
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
    async with serve(max_connections=1) as served, asyncio.timeout(30):
        for _ in range(3):
            while not (await say(served, PROBE)).endswith(b"ok\n"):
                pass  # the server has not noticed the last one's end


async def test_200_idle_clients_do_not_stop_a_probe(serve: Serve) -> None:
    async with serve() as served, contextlib.AsyncExitStack() as stack:
        for _ in range(200):
            await stack.enter_async_context(connected(served))
        assert (await say(served, PROBE)).endswith(b"ok\n")


GARBAGE = {
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(200)),
    "binary": bytes(range(256)) * 8,
    "no-host": b"GET /livez HTTP/1.1\r\n\r\n",
    "two-hosts": b"GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "long-line": b"GET /" + b"x" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    "long-header": b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20000 + b"\r\n\r\n",
    "many-headers": b"GET /livez HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
    "bad-version": b"GET /livez HTTP/9.9\r\nHost: x\r\n\r\n",
    "bad-length": b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    "smuggling": b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad-chunk": b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "nul": b"GET /li\0vez HTTP/1.1\r\nHost: x\r\n\r\n",
    "bare-lf": b"GET /livez HTTP/1.1\nHost: x\n\n",
    "lower-case": b"get /livez http/1.1\r\n\r\n",
    "second-is-bad": ASK + b"\x00\x01\x02\r\n\r\n",
    "bad-url": b"GET http://[::1 HTTP/1.1\r\nHost: x\r\n\r\n",
    "connect": b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
    "upgrade": b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "expect": b"GET /livez HTTP/1.1\r\nHost: x\r\nExpect: the unexpected\r\n\r\n",
    "body-encoding": b"POST /livez HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
    "strange-query": b"GET /readyz?exclude=%ff%00&verbose&=%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    "strange-name": b"GET /readyz/%00%ff%0d%0aX:%20y HTTP/1.1\r\nHost: x\r\n\r\n",
    "strange-accept": b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: ;;q=x,application/openmetrics-text;q=\r\n\r\n",
}


@pytest.mark.parametrize("sent", GARBAGE.values(), ids=GARBAGE.keys())
async def test_garbage_is_answered_or_cut_without_a_line_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(ovsnet.web.connections, "KEEPALIVE", 0.1)
    with caplog.at_level(logging.INFO):
        async with serve() as served:
            said = await say(served, sent)
            assert not said.startswith(b"HTTP/1.1 5") or b" 503 " in said
            assert b"Traceback" not in said
            assert (await served.get("/livez"))[0] == 200
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO] == []


async def test_client_that_resets_its_connection_leaves_no_line_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        async with serve() as served:
            async with connected(served) as (_, writer):
                linger = struct.pack("ii", 1, 0)
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                writer.write(ASK.replace(b"/livez", b"/metrics") * 50)
                await writer.drain()
                writer.transport.abort()
            assert (await served.get("/livez"))[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.INFO] == []


async def test_bad_request_is_one_line_without_a_traceback_at_debug_level(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="ovsnet.http"):
        async with serve() as served:
            await say(served, GARBAGE["no-host"])
    records = [record for record in caplog.records if record.name == "ovsnet.http"]
    assert [(record.levelno, bool(record.exc_info)) for record in records] == [(logging.DEBUG, False)]


async def test_bug_of_ours_is_500_and_shows_in_full(
    serve: Serve, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve() as served:
        monkeypatch.delattr(served.agent, "health")
        status, body, _ = await served.get("/readyz")
        assert status == 500
        assert "Traceback" not in body
        assert (await served.get("/livez"))[0] == 200
    (record,) = [record for record in caplog.records if record.name == "ovsnet.http"]
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert served.agent.counters.requests["/readyz", 500] == 1


def test_every_endpoint_says_what_200_means() -> None:
    assert all(endpoint.yes for endpoint in ENDPOINTS.values())


@pytest.mark.parametrize(
    "host", ["127.0.0.1:1", "[::1]:1", "localhost", "LOCALHOST.:8", "10.0.0.1", "node-1", "node-1:80"]
)
async def test_browser_that_names_us_or_a_number_is_served(serve: Serve, host: str) -> None:
    async with serve() as served:
        served.agent.name = "Node-1"
        assert (await served.get("/", Host=host))[0] == 200


@pytest.mark.parametrize("path", ["/", "/status"])
async def test_page_of_a_stranger_that_resolves_to_us_reads_nothing(serve: Serve, path: str) -> None:
    """DNS rebinding: its requests still carry its own name."""
    async with serve(host_names=("ovs.example",)) as served:
        status, body, _ = await served.get(path, Host="evil.example")
        assert status == 421
        assert "host_names" in body
        assert (await served.get(path, Host="ovs.example:10670"))[0] == 200


@pytest.mark.parametrize("path", ["/livez", "/metrics", "/readyz"])
async def test_probe_and_scrape_may_use_any_name(serve: Serve, path: str) -> None:
    async with serve() as served:
        served.agent.all_well()
        assert (await served.get(path, Host="whatever.example"))[0] == 200


async def test_readiness_is_denied_at_once_when_we_leave(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.leaving = True
        assert (await served.get("/readyz"))[:2] == (503, "leaving: ovsnet is being stopped.\n")
        assert (await served.get("/livez"))[0] == 200

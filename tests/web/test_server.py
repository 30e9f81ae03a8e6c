"""The server on the wire: HTTP as well-behaved clients speak it, over real sockets."""

from __future__ import annotations

import asyncio
import socket
import struct
from pathlib import Path

import aiohttp
import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.web.endpoints import ENDPOINTS
from tests.web.conftest import Serve
from tests.web.raw_client import ASK, PROBE, answer, connected, say


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


def test_every_endpoint_says_what_200_means() -> None:
    assert all(endpoint.yes for endpoint in ENDPOINTS.values())


async def test_readiness_is_denied_at_once_when_we_leave(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.leaving = True
        assert (await served.get("/readyz"))[:2] == (503, "leaving: ovsnet is being stopped.\n")
        assert (await served.get("/livez"))[0] == 200

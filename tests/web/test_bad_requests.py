"""What clients get wrong is answered or cut, and is no news; what we get wrong shows in the log."""

from __future__ import annotations

import logging
import socket
import struct

import pytest

import ovsnet.web.connections
from tests.web.conftest import Serve
from tests.web.raw_client import ASK, connected, say

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
    "strange-query": b"GET /readyz?exclude=%ff%00&verbose&=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
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

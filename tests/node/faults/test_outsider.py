"""An agent that may not, or cannot, see all of the node: it says so, and condemns nobody for it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import listening_paths
from ovsnet.sandbox.supervisor import die_with_parent
from tests.namespaces import OTHER_PID_NAMESPACE
from tests.patience import PATIENCE
from tests.unprivileged import UNPRIVILEGED

Get = Callable[[str], Awaitable[tuple[int, str]]]


@contextlib.asynccontextmanager
async def outsider(node: Sandbox, *prefix: str) -> AsyncIterator[Get]:
    """``ovsnet serve``, started through ``prefix``. Yields what asks it over HTTP."""
    sock = node.directory / "agent.sock"
    settings = ("--interval=0.1", "--timeout=0.4", "--hung-after=0.8", "--dead-after=0.5", f"--listen=unix:{sock}")
    agent = await asyncio.create_subprocess_exec(
        *die_with_parent(),
        *prefix,
        *(sys.executable, "-m", "ovsnet", "serve"),
        *(f"--rundir={node.rundir}", f"--ovn-rundir={node.rundir}", *settings),
    )
    try:
        await agent_listens(sock, agent)
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(sock))) as client:

            async def get(path: str) -> tuple[int, str]:
                async with client.get("http://localhost" + path) as response:
                    return response.status, await response.text()

            yield get
    finally:
        with contextlib.suppress(ProcessLookupError):
            agent.kill()  # unshare hears nothing else, and ends its child with itself
        await agent.wait()
        sock.unlink(missing_ok=True)


async def agent_listens(sock: Path, agent: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(PATIENCE):
        while str(sock) not in listening_paths():
            assert agent.returncode is None
            await asyncio.sleep(0.02)


async def status_when(get: Get, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The status document as soon as ``fact`` holds of it; it lies in another process, so it is asked for."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status, body = await get("/status")
            assert status == 200, body
            document: dict[str, Any] = json.loads(body)
            if fact(document):
                return document
            await asyncio.sleep(0.02)


async def test_user_who_may_not_open_the_sockets_is_told_so(node: Sandbox) -> None:
    sockets = [path for path in node.rundir.iterdir() if path.is_socket()]
    for socket in sockets:
        socket.chmod(0o000)
    async with outsider(node, *UNPRIVILEGED) as get:
        document = await status_when(get, lambda found: found["diagnosis"]["code"] == "permission-denied")
        assert document["state"] == "not-ready"
        assert any("db.sock" in each for each in document["diagnosis"]["evidence"])
        assert {check["status"] for check in document["checks"]} <= {"failed", "skipped", "ok"}
        assert {check["reason"] for check in document["checks"] if check["status"] == "failed"} == {"permission-denied"}
        assert (await get("/readyz"))[0] == 503
        assert await get("/ovs/livez") == (200, "ok\n")
        for socket in sockets:
            socket.chmod(0o700)
        await status_when(get, lambda found: found["diagnosis"]["code"] == "healthy")
        assert await get("/readyz") == (200, "ok\n")


@pytest.mark.restored
async def test_silent_switch_of_another_pid_namespace_is_never_proven_dead(node: Sandbox) -> None:
    """Its process cannot be seen, so its silence, however long, is no proof."""
    async with outsider(node, *OTHER_PID_NAMESPACE) as get:
        await status_when(get, lambda found: found["diagnosis"]["code"] == "healthy")
        await node.freeze("ovs-vswitchd")
        await status_when(get, lambda found: check_of(found, "vswitchd.ofproto")["status"] == "unknown")
        document = await status_when(get, lambda found: found["diagnosis"]["code"] == "process-unseen")
        assert document["state"] == "degraded"
        assert all("its process cannot be seen from here" in each for each in document["diagnosis"]["evidence"])
        assert "failed" not in {each["status"] for each in document["checks"]}
        # Long past hung_after and dead_after: what would prove death is not seen.
        await status_when(get, lambda found: silence(found) > 2 * (0.8 + 0.5))
        assert await get("/ovs/livez") == (200, "ok\n")
        assert await get("/readyz") == (200, "ok\n")
        await node.thaw("ovs-vswitchd")
        await status_when(get, lambda found: found["diagnosis"]["code"] == "healthy")


def check_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in document["checks"] if each["name"] == name)


def silence(document: dict[str, Any]) -> float:
    return float(check_of(document, "vswitchd.ofproto")["values"].get("silent_seconds", 0.0))

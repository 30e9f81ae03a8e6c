"""A real agent whose descriptors idle HTTP clients have used up."""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import socket
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest

from ovsnet.node.descriptors import descriptors
from ovsnet.sandbox.node import Sandbox
from tests.patience import PATIENCE
from tests.serving import Serving, serving

SPARE = 12
"""Descriptors that are left to it before the clients come."""


@contextlib.asynccontextmanager
async def crowd(agent: Serving) -> AsyncIterator[None]:
    """More idle clients than it has descriptors. It closes each after a while, so others come."""

    async def come() -> None:
        clients: list[socket.socket] = []
        try:
            while True:
                client = socket.socket()
                clients.append(client)
                client.setblocking(False)
                with contextlib.suppress(OSError):
                    await asyncio.wait_for(asyncio.get_running_loop().sock_connect(client, (agent.host, agent.port)), 1)
                if len(clients) > 2 * SPARE:
                    clients.pop(0).close()
                await asyncio.sleep(0.01)
        finally:
            for client in clients:
                client.close()

    coming = asyncio.create_task(come())
    try:
        yield
    finally:
        coming.cancel()
        await asyncio.wait([coming])


def _status(agent: Serving) -> dict[str, Any]:
    with urllib.request.urlopen(f"{agent.url}/status", timeout=5) as response:
        found: dict[str, Any] = json.load(response)
        return found


async def until(agent: Serving, code: str) -> dict[str, Any]:
    """Its document once this is the diagnosis. A client may be turned away meanwhile."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(OSError):
                found = await asyncio.to_thread(_status, agent)
                if found["diagnosis"]["code"] == code:
                    return found
            await asyncio.sleep(0.05)


async def test_agent_without_descriptors_says_so_blames_nobody_and_goes_on(
    shared_node: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    async with serving(shared_node.rundir, "--interval", "0.1", "--southbound", "on") as agent:
        await until(agent, "healthy")
        held = descriptors(agent.pid)
        assert held is not None
        before = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)
        limit = held.open + SPARE
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
        async with crowd(agent):
            found = await until(agent, "self-out-of-descriptors")
            assert found["state"] == "degraded"
            assert f"may have {limit}" in found["diagnosis"]["remedy"]
            assert found["diagnosis"]["also"] == []
            assert {each["status"] for each in found["checks"]} <= {"ok", "unknown", "skipped", "failed"}
            assert [each["name"] for each in found["checks"] if each["status"] == "failed"] in (
                [],
                ["self.descriptors"],
            )
        await until(agent, "healthy")  # its clients are gone; its limit is as low as before
    # the block asserts that it ended in order, with exit code 0

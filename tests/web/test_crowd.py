"""A crowd of clients that hold connections and use none, beside a kubelet that wants its probes answered."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from bench.laps.crowd import Crowd
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until
from tests.patience import PATIENCE
from tests.serving import Serving, serving

pytestmark = pytest.mark.heavy

SLOW, IDLE = 500, 900

MEGABYTES_LEFT = 10
"""Of 50 that the crowd takes. C's heap is given back whole. What stays are arenas of Python's own allocator, each of
which is freed only when nothing is left in it (Objects/obmalloc.c): free lists of uvloop and aiohttp lie in all of
them."""


async def ask(agent: Serving, path: str) -> str:
    """As a kubelet does: a connection of its own. An answer but 200, or none, is a failure."""
    async with asyncio.timeout(PATIENCE):
        reader, writer = await asyncio.open_connection(agent.host, agent.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        head, _, body = (await reader.read()).decode().partition("\r\n\r\n")
        writer.close()
    assert head.startswith("HTTP/1.1 200 "), head
    return body


async def cut(agent: Serving) -> int:
    found = re.findall(r"^ovsnet_http_connections_cut_total.* (\d+)\.0$", await ask(agent, "/metrics"), re.MULTILINE)
    return sum(map(int, found))


def descriptors(agent: Serving) -> int:
    return len(list(Path(f"/proc/{agent.pid}/fd").iterdir()))


def megabytes(agent: Serving) -> float:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{agent.pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


async def test_every_probe_among_500_slow_and_900_idle_clients_is_answered(shared_node: Sandbox) -> None:
    async with serving(shared_node.rundir) as agent:
        assert await cut(agent) == 0
        files, memory = descriptors(agent), megabytes(agent)
        crowd = Crowd(agent.host, agent.port, slow=SLOW, idle=IDLE)
        async with crowd.around(), asyncio.timeout(3 * PATIENCE):
            while min(crowd.came) < 2:  # every one of them was cut, and came again
                assert await ask(agent, "/livez") == "ok\n"
                await asyncio.sleep(0.01)
        assert await cut(agent) > 0
        await until(lambda: descriptors(agent) <= files, PATIENCE, "The descriptors never returned.")
        await until(lambda: megabytes(agent) < memory + MEGABYTES_LEFT, PATIENCE, "The memory never returned.")

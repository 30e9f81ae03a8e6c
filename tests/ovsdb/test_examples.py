"""The examples do what they say, as programs."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

from ovsnet.ovsdb import Client
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextlib.asynccontextmanager
async def running(name: str, *arguments: str) -> AsyncIterator[asyncio.StreamReader]:
    """The output of an example that runs until the block is left."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(EXAMPLES / f"{name}.py"), *arguments, stdout=subprocess.PIPE, cwd=EXAMPLES.parent
    )
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()  # to its end, so that nothing of it is left to the loop


async def line(output: asyncio.StreamReader) -> str:
    return (await asyncio.wait_for(output.readline(), PATIENCE)).decode().rstrip()


async def test_watching_a_table(server: Server) -> None:
    async with Client(server.address) as client:
        db = client["Open_vSwitch"]
        async with db.transaction(timeout=PATIENCE) as t:
            t.insert("Open_vSwitch")
        arguments = (str(server.address), "Open_vSwitch", "Open_vSwitch", "next_cfg")
        async with running("watch_table", *arguments) as output:
            assert (await line(output)).endswith("{'next_cfg': 0}")
            await db.set("Open_vSwitch", None, next_cfg=1)
            changed = await line(output)
            assert changed.startswith("~ ")
            assert changed.endswith("{'next_cfg': 1}")


async def test_taking_a_lock(server: Server) -> None:
    async with Client(server.address) as client:
        db = client["Open_vSwitch"]
        async with db.transaction(timeout=PATIENCE) as t:
            t.insert("Open_vSwitch")
        async with running("take_lock", str(server.address), "tool") as output:
            assert await line(output) == "active"
            counted = ("external_ids", "includes", {"tool": "2"})
            await db.wait_until("Open_vSwitch", None, counted, timeout=PATIENCE)
            async with db.lock("tool", steal=True, timeout=PATIENCE):
                assert (await line(output)).startswith("standby: ")
            assert await line(output) == "active"


async def test_inventory_of_bridges(server: Server) -> None:
    async with Client(server.address) as client, client["Open_vSwitch"].transaction(timeout=PATIENCE) as t:
        interface = t.insert("Interface", name="eth0", type="internal", ofport=1)
        port = t.insert("Port", name="eth0", tag=7, interfaces=[interface])
        t.insert("Open_vSwitch", bridges=[t.insert("Bridge", name="br0", ports=[port])])
    async with running("bridge_inventory", str(server.address)) as output:
        assert [await line(output) for _ in range(3)] == [
            "br0 (system)",
            "    eth0 tag 7",
            "        eth0 type internal ofport 1",
        ]

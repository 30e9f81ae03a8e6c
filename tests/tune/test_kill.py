"""Either process killed at any point of an apply: the old values are there or the new ones, and revert works."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import secrets
import sys
import time
from pathlib import Path

import anyio
import pytest

from ovsnet.errors import PeerError
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from tests.tune import killed_writer
from tests.tune.conftest import Tuning

pytestmark = pytest.mark.heavy

ROUNDS_OF_OURS, ROUNDS_OF_THE_SERVER = 60, 40


async def test_kill_of_ovsnet_leaves_all_old_or_all_new_values_and_revert_works() -> None:
    seed = str(secrets.randbelow(1 << 32))
    async with Sandbox(ovn=False, ports=0) as node:
        script = str(Path(killed_writer.__file__))
        argv = [sys.executable, script, str(node.rundir), str(ROUNDS_OF_OURS), seed]
        done = await anyio.run_process(argv)
    (new, old), *rounds = [json.loads(line) for line in done.stdout.splitlines()]
    assert old != new
    assert len(rounds) == ROUNDS_OF_OURS
    for found, reverted in rounds:
        assert found in (old, new), f"seed {seed}"
        assert reverted == old, f"seed {seed}"


async def test_kill_of_the_server_leaves_all_old_or_all_new_values_and_revert_works(tuning: Tuning) -> None:
    seed = secrets.randbelow(1 << 32)
    rng = random.Random(seed)
    async with Sandbox(ovn=False, ports=0) as node:
        await node.stop("ovs-vswitchd")
        old = await held(node, tuning)
        began = time.monotonic()
        await write(node)
        took = time.monotonic() - began
        new = await held(node, tuning)
        assert old != new
        for _ in range(ROUNDS_OF_THE_SERVER):
            async with tuning(node) as tuner:
                await tuner.revert()
            assert await held(node, tuning) == old, f"seed {seed}"
            writing = asyncio.ensure_future(write(node))
            await asyncio.sleep(rng.uniform(0, took))
            await node.kill("ovsdb-server")
            with contextlib.suppress(PeerError):
                await writing
            await node.start("ovsdb-server")
            assert await held(node, tuning) in (old, new), f"seed {seed}"


async def write(node: Sandbox) -> None:
    await killed_writer.write(Address.unix(node.rundir / "db.sock"))


async def held(node: Sandbox, tuning: Tuning) -> dict[str, object]:
    async with tuning(node) as tuner:
        return killed_writer.held(await tuner.facts())

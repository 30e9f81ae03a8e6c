"""A simulated chassis against a real southbound that freezes, ends and comes back."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from ovsnet.bench.storm.chassis import Chassis
from ovsnet.bench.storm.connection import ChassisConnection
from ovsnet.bench.storm.measures import StormMeasures
from ovsnet.bench.storm.servers import contents
from ovsnet.bench.storm.subscription import subscribe
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

LONG = 50.0


@asynccontextmanager
async def connected(
    remote: str, measures: StormMeasures, probe: float, *, register: bool = False
) -> AsyncIterator[None]:
    address = Address.parse(remote)
    known = await contents([address], None)
    subscription = subscribe(known.tables, known.datapaths[0])
    now = time.monotonic()
    chassis = Chassis(1, 1, probe, subscription, Random(1), now)
    one = ChassisConnection(chassis, [address], measures, now, tls=None, register=register)
    one.begin()
    try:
        yield
    finally:
        one.end()


async def test_frozen_server_is_given_up_and_everything_is_synced_again_after_it(node: Sandbox) -> None:
    found = StormMeasures()
    async with connected(node.southbound_servers["ovn-sb"], found, probe=1.0):
        await until(lambda: found.join_to_synced.count == 1, LONG, "It never synced.")
        await until(lambda: found.probe.count > 0, LONG, "It never probed.")
        await node.freeze("ovn-sb")
        await until(lambda: found.gave_up > 0, LONG, "It never gave up.")
        await node.thaw("ovn-sb")
        await until(lambda: found.outage.count == 1, LONG, "It never came back.")
    assert found.outage.lowest > 0
    assert not found.closed_by_server


async def test_server_that_never_said_a_word_is_told_from_one_that_fell_silent(node: Sandbox) -> None:
    found = StormMeasures()
    async with connected(node.southbound_servers["ovn-sb"], found, probe=1.0):
        await until(lambda: found.join_to_synced.count == 1, LONG, "It never synced.")
        gave_up, unheard = found.gave_up, found.gave_up_unheard
        await node.freeze("ovn-sb")
        # The connection that it has was heard of; every later one waits in the backlog.
        await until(lambda: found.gave_up_unheard > unheard, LONG, "It never gave up again.")
        assert found.gave_up - gave_up > found.gave_up_unheard - unheard
        await node.thaw("ovn-sb")


async def test_server_that_ends_is_left_and_found_again(node: Sandbox) -> None:
    found = StormMeasures()
    async with connected(node.southbound_servers["ovn-sb"], found, probe=0.0):
        await until(lambda: found.join_to_synced.count == 1, LONG, "It never synced.")
        await node.kill("ovn-sb")
        await until(lambda: found.closed_by_server == 1, LONG, "It never noticed.")
        await until(lambda: found.connect_errors.get("ECONNREFUSED", 0) > 0, LONG, "It never tried again.")
        await node.start("ovn-sb")
        await until(lambda: found.outage.count == 1, LONG, "It never came back.")
    assert not found.gave_up


async def test_row_of_a_chassis_is_written_once(node: Sandbox) -> None:
    found = StormMeasures()

    async def rows() -> int:
        return (await node.run("ovn-sbctl", "--bare", "--columns=name", "list", "Chassis")).count("storm-")

    async with connected(node.southbound_servers["ovn-sb"], found, probe=0.0, register=True):
        await until(lambda: found.join_to_synced.count == 1, LONG, "It never synced.")
        assert await rows() == 1
        await node.restart("ovn-sb")
        await until(lambda: found.outage.count == 1, LONG, "It never came back.")
        assert await rows() == 1

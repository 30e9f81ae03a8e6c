"""A simulated chassis against a real southbound that freezes, ends and comes back."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from ovsnet.bench.storm.chassis import Chassis
from ovsnet.bench.storm.connection import Station
from ovsnet.bench.storm.servers import contents
from ovsnet.bench.storm.subscription import subscribe
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.waiting import until

LONG = 50.0


class Log:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.outages: list[float | None] = []

    def count(self, what: str) -> None:
        self.counts[what] += 1

    def synced(self, outage: float | None) -> None:
        self.outages.append(outage)

    def probed(self, seconds: float) -> None:
        assert seconds >= 0
        self.counts["probed"] += 1


@asynccontextmanager
async def station(remote: str, log: Log, probe: float, *, register: bool = False) -> AsyncIterator[Station]:
    address = Address.parse(remote)
    known = await contents([address], None)
    subscription = subscribe(known.tables, known.datapaths[0])
    chassis = Chassis(1, 1, probe, subscription, Random(1), time.monotonic())
    one = Station(chassis, [address], log, tls=None, register=register)
    one.begin()
    try:
        yield one
    finally:
        one.end()


async def test_frozen_server_is_given_up_and_everything_is_synced_again_after_it(node: Sandbox) -> None:
    log = Log()
    async with station(node.southbound_servers["ovn-sb"], log, probe=1.0):
        await until(lambda: log.outages == [None], LONG, "It never synced.")
        await until(lambda: log.counts["probed"] > 0, LONG, "It never probed.")
        await node.freeze("ovn-sb")
        await until(lambda: log.counts["gave up"] > 0, LONG, "It never gave up.")
        await node.thaw("ovn-sb")
        await until(lambda: len(log.outages) == 2, LONG, "It never came back.")
    assert log.outages[1] is not None
    assert log.outages[1] > 0
    assert not log.counts["closed by the server"]


async def test_server_that_never_said_a_word_is_told_from_one_that_fell_silent(node: Sandbox) -> None:
    log = Log()
    async with station(node.southbound_servers["ovn-sb"], log, probe=1.0):
        await until(lambda: log.outages == [None], LONG, "It never synced.")
        before = log.counts.copy()
        await node.freeze("ovn-sb")
        # The connection that it has was heard of; every later one waits in the backlog.
        await until(lambda: (log.counts - before)["gave up unheard"] > 0, LONG, "It never gave up again.")
        since = log.counts - before
        assert since["gave up"] > since["gave up unheard"]
        await node.thaw("ovn-sb")


async def test_server_that_ends_is_left_and_found_again(node: Sandbox) -> None:
    log = Log()
    async with station(node.southbound_servers["ovn-sb"], log, probe=0.0):
        await until(lambda: log.outages == [None], LONG, "It never synced.")
        await node.kill("ovn-sb")
        await until(lambda: log.counts["closed by the server"] == 1, LONG, "It never noticed.")
        await until(lambda: log.counts["connect ECONNREFUSED"] > 0, LONG, "It never tried again.")
        await node.start("ovn-sb")
        await until(lambda: len(log.outages) == 2, LONG, "It never came back.")
    assert not log.counts["gave up"]


async def test_row_of_a_chassis_is_written_once(node: Sandbox) -> None:
    log = Log()

    async def rows() -> int:
        return (await node.run("ovn-sbctl", "--bare", "--columns=name", "list", "Chassis")).count("storm-")

    async with station(node.southbound_servers["ovn-sb"], log, probe=0.0, register=True):
        await until(lambda: log.outages == [None], LONG, "It never synced.")
        assert await rows() == 1
        await node.restart("ovn-sb")
        await until(lambda: len(log.outages) == 2, LONG, "It never came back.")
        assert await rows() == 1

"""How much is taken at once, and when it is too much."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from ovsnet import openflow
from ovsnet.errors import ProtocolFlood, RequestRefused
from ovsnet.io.address import Address
from ovsnet.io.inflow import BURST, FULL, LAG, LARGEST, MANY, MUCH, PASS, PATIENCE, PIECE, RATE, SMALLEST, Inflow
from ovsnet.io.jsonrpc_session import JsonRpcSession

HELLO = bytes.fromhex("0600000800000001")
ECHO_REQUEST = bytes.fromhex("0602000800000bad")


class Counted:
    """An inflow whose messages the test counts."""

    def __init__(self) -> None:
        self.messages = 0
        self.inflow = Inflow(lambda: self.messages)

    def came(self, count: int, now: float, size: int = 10) -> float:
        self.messages += count
        return self.inflow.took(size, now, 0.0)


def test_burst_is_taken_and_what_is_beyond_it_waits() -> None:
    counted = Counted()
    assert counted.came(int(BURST), 1.0) == 0.0
    assert counted.came(10, 1.0) == pytest.approx((PIECE + 10) / RATE)
    assert not counted.inflow.is_flood(1.0)


def test_rate_is_taken_for_ever() -> None:
    counted = Counted()
    for tick in range(10_000):
        assert counted.came(int(RATE / 10), tick / 10) == 0.0
    assert not counted.inflow.is_flood(1000.0)


def test_bucket_that_stays_empty_is_a_flood_and_one_that_recovers_is_none() -> None:
    counted = Counted()
    counted.came(int(BURST) + 100, 1.0)
    counted.came(int(BURST), 1.0 + BURST / RATE)
    assert counted.inflow.is_flood(1.0 + BURST / RATE + PATIENCE)
    counted = Counted()
    counted.came(int(BURST) + 100, 1.0)
    counted.came(0, 1.0 + BURST / RATE)
    assert not counted.inflow.is_flood(100.0)


def test_answers_are_bounded_by_the_questions_and_not_by_the_bucket() -> None:
    counted = Counted()
    for _ in range(100_000):
        counted.inflow.asked()
        assert counted.came(1, 1.0) == 0.0


def test_more_than_we_have_time_for_is_a_flood_though_it_is_no_more_than_may_be() -> None:
    """On a host that leaves us little of its CPU, or where each message costs much."""
    counted = Counted()
    for tick in range(20):
        assert not counted.inflow.is_flood(tick * LAG / 20)
        counted.inflow.read(FULL, tick * LAG / 20)
        counted.came(MANY // 10, tick * LAG / 20)
    assert counted.inflow.is_flood(1.1 * LAG)
    counted.inflow.read(100, 1.2 * LAG)
    assert not counted.inflow.is_flood(1.3 * LAG)


def test_long_answers_and_snapshots_are_none() -> None:
    counted = Counted()
    for tick in range(100_000):
        counted.inflow.asked()
        counted.inflow.read(FULL, tick / 1000)
        assert counted.came(1, tick / 1000) in (0.0, PASS)
        assert not counted.inflow.is_flood(tick / 1000)
    counted = Counted()
    for tick in range(10_000):
        counted.inflow.read(FULL, tick / 1000)
        counted.came(int(tick % 1000 == 0), tick / 1000)
        assert not counted.inflow.is_flood(tick / 1000)


MEGABYTE = 1 << 20


@pytest.mark.parametrize("slowness", [1, 30])
def test_megabytes_that_nobody_asked_for_are_a_flood_however_slowly_we_take_them(slowness: int) -> None:
    counted, now = Counted(), 1.0
    for _ in range(MUCH // MEGABYTE + 1):
        assert not counted.inflow.is_flood(now)
        for number in range(MEGABYTE // LARGEST):
            now += slowness / 1000
            counted.inflow.read(LARGEST, now)
            counted.came(int(number == 0), now, LARGEST)
    counted.came(1, now, LARGEST)
    assert counted.inflow.is_flood(max(now, 1.0 + 1.1 * LAG))


def test_largest_message_and_many_that_were_waited_for_are_none() -> None:
    counted = Counted()
    for tick in range(MUCH // 2 // LARGEST):
        counted.inflow.read(FULL, tick / 10)
        counted.came(0, tick / 10, LARGEST)
    counted.came(1, tick / 10, LARGEST)
    assert not counted.inflow.is_flood(tick / 10)
    for tick in range(10 * MUCH // MEGABYTE):
        counted.inflow.read(100, 100.0 + tick)
        counted.came(1, 100.0 + tick, MEGABYTE)
        assert not counted.inflow.is_flood(100.0 + tick)


def test_piece_grows_while_it_is_cheap_and_is_small_again_where_it_is_not() -> None:
    counted = Counted()
    assert counted.inflow.piece == SMALLEST
    while counted.inflow.piece < LARGEST:
        counted.inflow.took(counted.inflow.piece, 1.0, PASS / 10)
    counted.inflow.took(LARGEST, 1.0, PASS / 2)
    assert counted.inflow.piece == LARGEST
    counted.inflow.took(LARGEST, 1.0, 2 * PASS)
    assert counted.inflow.piece == SMALLEST
    counted.inflow.took(100, 1.0, 0.0)
    assert counted.inflow.piece == SMALLEST


@contextlib.asynccontextmanager
async def switch(path: Path, block: bytes) -> AsyncIterator[Address]:
    """It says HELLO, and then ``block`` again and again."""
    writers = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            writer.write(HELLO)
            while block:
                writer.write(block)
                await writer.drain()
                await asyncio.sleep(0)

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield Address.unix(path)
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()


async def test_peer_that_floods_is_dropped_and_told_and_holds_nobody_up(tmp_path: Path) -> None:
    async with switch(tmp_path / "s", ECHO_REQUEST * 8192) as address:
        session = await openflow.connect(address, timeout=10.0)
        longest, before = 0.0, time.process_time()
        while not session.closed.done():
            began = time.process_time()
            await asyncio.sleep(0)
            longest = max(longest, time.process_time() - began)
        assert time.process_time() - before < 20
        with pytest.raises(ProtocolFlood, match="unrequested messages"):
            await session.echo()
        assert session.closed.result().reason == "protocol-flood"


async def test_peer_that_pushes_a_megabyte_at_a_time_is_dropped(tmp_path: Path) -> None:
    push = b'{"id":null,"method":"update3","params":["%s"]}' % (b"x" * MEGABYTE)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(push * 4)
                await writer.drain()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    session = JsonRpcSession(Address.unix(tmp_path / "s"), max_bytes=2 * MEGABYTE, refusal=RequestRefused)
    await session.open(timeout=10.0)
    assert (await session.closed).reason == "protocol-flood"
    assert session._core.messages < MANY
    server.close()


async def test_what_a_peer_said_before_its_end_is_heard(tmp_path: Path) -> None:
    """Though more came than one pass takes."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HELLO + ECHO_REQUEST * 5000)
        heard.append(await reader.readexactly(8 * 5000))
        writer.close()

    server = await asyncio.start_unix_server(serve, tmp_path / "s")
    session = await openflow.connect(Address.unix(tmp_path / "s"), timeout=10.0)
    async with asyncio.timeout(30):
        error = await session.closed
    server.close()
    assert error.reason == "closed"
    assert session._core.messages == 5001
    assert len(heard) == 1

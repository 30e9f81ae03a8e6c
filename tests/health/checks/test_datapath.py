"""Packets that the datapath of a real node drops; what a dummy cannot lose, a switch that only speaks."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from ovsnet.config import Settings
from ovsnet.health.causes import cause_of
from ovsnet.health.checks.datapath import limit_told
from ovsnet.health.checks.result import Answer, Result, Status
from ovsnet.node.datapath import Flows
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.faults.datapath import connections, flow_limit
from tests.health.checks.conftest import Asker, Asking

A_LITTLE = 0.5


def remedy(result: Result | Answer) -> str:
    cause = cause_of(Result("a.check", result.status, 0.0, result.reason, facts=result.facts, daemon="ovs-vswitchd"))
    assert cause is not None
    assert cause.code == result.reason
    return cause.remedy_for(result.facts)


async def test_idle_switch_loses_nothing(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        results = [await ask(f"vswitchd.{name}") for name in ("upcalls", "flow_limit", "conntrack")]
    assert [each.status for each in results] == [Status.OK] * 3


async def test_flows_at_their_limit_are_told_while_more_are_wanted(node: Sandbox, asking: Asking) -> None:
    async with asking(node, timeout=A_LITTLE, broken_after=0.05) as ask:
        await ask("ovsdb.echo")  # the database tells what limit was wanted
        async with flow_limit(node):
            result = await ask.until("vswitchd.flow_limit", lambda now: now.status is Status.FAILED)
        assert "may hold 0, and refuses" in result.detail
        assert "other_config:flow-limit=200000`" in remedy(result)
        await ask.until("vswitchd.flow_limit", lambda now: now.status is Status.OK)


async def test_tracked_connections_at_their_limit_are_told(node: Sandbox, asking: Asking) -> None:
    async with connections(node, 20), asking(node, timeout=A_LITTLE) as ask:
        result = await ask.until("vswitchd.conntrack", lambda now: now.status is Status.FAILED)
    assert result.detail == "20 connections are tracked by system@ovs-system, which takes 20."
    assert "`ovs-appctl dpctl/ct-set-maxconns system@ovs-system 40`" in remedy(result)


@pytest.mark.parametrize(
    ("limit", "configured", "words"),
    [(2000, 200000, "lowered the limit to 2000, of 200000"), (200000, 200000, "other_config:flow-limit=400000")],
)
def test_remedy_follows_who_set_the_limit(limit: int, configured: int, words: str) -> None:
    assert words in remedy(limit_told(3.0, Flows("system@ovs-system", limit, limit), configured))


def test_limit_that_cannot_be_read_is_none_to_name() -> None:
    assert "upcall/show" in remedy(limit_told(3.0, None, 200000))


@contextlib.asynccontextmanager
async def speaking(path: Path, answers: dict[str, Callable[[], str]]) -> AsyncIterator[None]:
    """A control socket that says what it was given to say."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder, text = json.JSONDecoder(), ""
        while data := await reader.read(4096):
            text += data.decode()
            with contextlib.suppress(json.JSONDecodeError):
                while text:
                    asked, end = decoder.raw_decode(text)
                    text = text[end:]
                    reply = {"id": asked["id"], "error": None, "result": answers[asked["method"]]()}
                    writer.write(json.dumps(reply).encode())
        writer.close()

    server = await asyncio.start_unix_server(serve, path)
    try:
        yield
    finally:
        server.close()


@contextlib.asynccontextmanager
async def losing(tmp_path: Path, totals: Iterator[int]) -> AsyncIterator[Asker]:
    """ovs-vswitchd 3.3 with the kernel's datapath, which has lost so many packets at each look."""
    answers = {
        "version": lambda: "ovs-vswitchd (Open vSwitch) 3.3.0",
        "ofproto/list": lambda: "br-int\n",
        "dpctl/show": lambda: (
            f"system@ovs-system:\n  lookups: hit:9 missed:9 lost:{next(totals)}\n  flows: 1\n  port 0: ovs-system\n"
        ),
    }
    settings = Settings(timeout=1.0, broken_after=0.5)
    node = Node(settings, Rundir(tmp_path, tmp_path), clock=time.monotonic, rng=random.Random(1))
    async with speaking(tmp_path / "ovs-vswitchd.1.ctl", answers), node:
        yield Asker(node)


async def test_packets_lost_for_long_are_told_as_long_as_they_are_lost(tmp_path: Path) -> None:
    totals = itertools.count(1000, 500)
    async with losing(tmp_path, totals) as ask:
        assert (await ask("vswitchd.upcalls")).status is Status.OK, "for how long is not known"
        result = await ask.until("vswitchd.upcalls", lambda now: now.status is Status.FAILED)
    assert re.match(r"The datapath loses [1-9]\d* packets a second", result.detail)
    assert "handler threads" in remedy(result)


async def test_burst_of_lost_packets_is_a_number_and_no_fault(tmp_path: Path) -> None:
    totals = itertools.chain([1000, 1002], itertools.repeat(1004))
    async with losing(tmp_path, totals) as ask:
        results = [await ask("vswitchd.upcalls")]
        while results[-1].values["lost_per_second"] == 0:
            results.append(await ask("vswitchd.upcalls"))
        results.append(await ask.until("vswitchd.upcalls", lambda now: now.values["lost_per_second"] == 0))
    assert {each.status for each in results} == {Status.OK}
    assert results[0].values == {"lost": 1000, "lost_per_second": 0.0}

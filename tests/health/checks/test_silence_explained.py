"""A daemon that owes an answer and has no descriptor left: that is why, unless its process ended or stands still."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import cast

import pytest

from ovsnet.errors import BacklogFull, DeadlineExceeded, OvsnetError
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.declaration import Check
from ovsnet.health.checks.result import Answer, Status, ok
from ovsnet.node.components import Socket
from ovsnet.node.descriptors import Descriptors
from ovsnet.node.node import Node
from ovsnet.node.silence import Finding, Verdict

FULL = Descriptors(open=65, limit=64, left=0)


def node(verdict: Verdict, exhausted: tuple[int, Descriptors] | None = (7, FULL)) -> Node:
    daemon = SimpleNamespace(
        look=lambda hung_after, own_lag: Finding(verdict, "process 7 sleeps", {"silent_seconds": 2.5}),
        out_of_descriptors=lambda: exhausted,
        process=lambda: "one to look at",
        refused=lambda: False,
    )
    refusals: Counter[str] = Counter()
    fake = SimpleNamespace(
        daemons={"ovs-vswitchd": daemon},
        settings=SimpleNamespace(hung_after=3.0, switch="on"),
        peer_asked=lambda name, socket: None,
        own_lag=0.0,
        clock=lambda: 7.0,
        backlog_refusals=refusals,
    )
    return cast("Node", fake)


def probing(outcome: Answer | OvsnetError) -> Check:
    async def probe(node: Node) -> Answer:
        if isinstance(outcome, OvsnetError):
            raise outcome
        return outcome

    return Check("x.y", "It holds.", probe, "ovs-vswitchd", Socket.CONTROL, (), 1.0, 0.0)


UNSERVED = pytest.mark.parametrize(
    "error", [DeadlineExceeded("Late."), BacklogFull("Full.")], ids=lambda error: error.reason
)


@UNSERVED
@pytest.mark.parametrize("verdict", [Verdict.BUSY, Verdict.STARVED, Verdict.LATE])
async def test_living_daemon_without_descriptors_is_told_with_its_numbers(verdict: Verdict, error: OvsnetError) -> None:
    result = await run(probing(error), node(verdict), {})
    assert (result.status, result.reason) == (Status.FAILED, "no-descriptors")
    assert "(process 7) has 65 files open, may have 64" in result.detail
    assert result.facts == {"pid": "7", "descriptors": "65", "limit": "64", "doubled": "1024"}


@UNSERVED
@pytest.mark.parametrize("verdict", [Verdict.HUNG, Verdict.GONE])
async def test_process_that_ended_or_stands_still_needs_no_descriptors(verdict: Verdict, error: OvsnetError) -> None:
    assert (await run(probing(error), node(verdict), {})).reason == verdict.value


async def test_silence_of_a_daemon_with_descriptors_left_is_what_its_process_shows() -> None:
    assert (await run(probing(DeadlineExceeded("Late.")), node(Verdict.BUSY, None), {})).reason == "busy"


async def test_daemon_that_answers_is_not_asked_for_its_descriptors() -> None:
    assert (await run(probing(ok("It holds.")), node(Verdict.BUSY), {})).status is Status.OK

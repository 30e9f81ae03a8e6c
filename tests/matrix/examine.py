"""One row: a node, the fault, the observers, and what is wrong with what they say."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ovsnet.errors import DeadlineExceeded
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import Process
from ovsnet.sandbox.waiting import until
from tests.faults.fault import Fault, Scene
from tests.matrix.agents import BRISK, Agent, agent, check
from tests.matrix.expected import Expected, in_order, observers
from tests.matrix.judge import judge_agent, judge_check, settled
from tests.matrix.row import Row, Said
from tests.matrix.scripts import all_tools

BRIEFLY = 0.7
"""Seconds of a fault that comes and goes."""

IN_THE_START = 0.3
"""Seconds after its own start at which the fault hits an agent: its first answers are not in yet."""

BUSY = 2.0
"""Times slower than two idle cores."""

STARTED = 60.0
"""Seconds for an agent's first answer, on a machine with much to do. It takes one on two idle cores; deadlines are
longer by as much as it takes longer."""

SOON = 6.0
"""Seconds from then on for the right word: silence, its proof, ``dead_after``, and what a loaded machine takes."""

STANDS = 0.6
"""Seconds for which the right word must then stand: an interval, and a little."""

WELL_AGAIN = 30.0
"""Seconds for the node to be well after the fault is undone: ovn-controller's backoff takes up to eight."""

CHECKS_AGAIN = 2.0
"""Seconds between two ``check``, each of which costs half a second of CPU."""

LONG = 40.0
"""Seconds of a fault with default settings, in which ``dead_after`` is thirty."""

SOUND = 38.0
"""Seconds by which ``/ovs/livez`` has failed then."""


class Unfit(Exception):
    """The node or an observer was not well before the fault, or not afterwards: nothing follows for the product."""


async def examine(faults: Sequence[Fault], node: Sandbox) -> Row:
    """Run one row: the fault comes briefly, then stays until each observer has had its deadline, and is undone."""
    began = time.monotonic()
    expected = Expected.of(faults)
    row = _row(faults, "single" if len(faults) == 1 else "pair", expected)
    with TemporaryDirectory(prefix="seen-", dir=node.directory) as scratch:
        scene = Scene.of(node, Path(scratch))
        async with AsyncExitStack() as stack:
            for fault in faults:
                await stack.enter_async_context(fault.seen(scene))
            held = await stack.enter_async_context(agent(scene, "held"))
            pace = await _pace(held)
            await _well(held, "before the fault", pace)
            if len(faults) == 1 and "held" in faults[0].observers:
                await _briefly(faults[0], scene, held, expected, row, pace)
            await _standing(faults, scene, held, expected, row, pace)
    row.seconds = time.monotonic() - began
    return row


async def examine_long(fault: Fault, node: Sandbox) -> Row:
    """Forty seconds of a fault, with the settings that people have."""
    began = time.monotonic()
    expected = Expected.of([fault])
    row = _row([fault], "long", expected)
    with TemporaryDirectory(prefix="seen-", dir=node.directory) as scratch:
        scene = Scene.of(node, Path(scratch))
        async with agent(scene, "held", {}) as held:
            pace = await _pace(held)
            await _well(held, "before the fault", pace)
            injected = time.monotonic()
            async with fault.happens(scene):
                await asyncio.sleep(LONG)
                said = judge_agent("held", held, injected, time.monotonic(), expected)
                failed = [told.at - injected for told in held.livez if told.what == "503"]
                if expected.dead and not (failed and 30.0 <= failed[0] <= SOUND):
                    said.wrong.append(f"/ovs/livez failed at {failed or 'no'} seconds, dead_after is 30")
                row.said.append(said)
            row.wrong += await _recovers({"held": held}, WELL_AGAIN * pace)
    row.seconds = time.monotonic() - began
    return row


def _row(faults: Sequence[Fault], kind: str, expected: Expected) -> Row:
    return Row(
        name=" + ".join(fault.name for fault in faults),
        kind=kind,
        about=" ".join(fault.about for fault in faults),
        codes=sorted(expected.codes),
        state=expected.state.label,
    )


async def _pace(first: Agent) -> float:
    """By how much this machine is slower than two idle cores."""
    began = time.monotonic()
    await _until(lambda: bool(first.document) or first.ended, STARTED)
    return max(time.monotonic() - began, 1.0)


async def _well(held: Agent, when: str, pace: float) -> None:
    await _until(lambda: held.code == "healthy" or held.ended, WELL_AGAIN * pace)
    if held.ended or held.code != "healthy":
        tail = " ".join(held.errors[-3:])
        raise Unfit(f"{when} the agent says {held.code or 'nothing'}: {_evidence(held)} {tail}")


async def _briefly(fault: Fault, scene: Scene, held: Agent, expected: Expected, row: Row, pace: float) -> None:
    began = time.monotonic()
    async with fault.happens(scene):
        await asyncio.sleep(BRIEFLY)
    row.wrong += [
        f"after {BRIEFLY} s of it: {each}" for each in await _recovers({"held": held}, _well_again(scene, pace))
    ]
    said = judge_agent("held", held, began, time.monotonic(), expected, starts=True, stands=False)
    row.wrong += [f"in {BRIEFLY} s of it: {each}" for each in said.wrong]


async def _standing(
    faults: Sequence[Fault], scene: Scene, held: Agent, expected: Expected, row: Row, pace: float
) -> None:
    kinds = observers(faults)
    starts = any(fault.starts for fault in faults)
    agents = {"held": held} if "held" in kinds else {}
    async with AsyncExitStack() as stack, AsyncExitStack() as happening:
        await _old_enough(scene.node)
        if "start" in kinds:
            agents["start"] = await stack.enter_async_context(agent(scene, "start"))
            await asyncio.sleep(IN_THE_START)
        began = time.monotonic()
        for fault in in_order(faults):
            await happening.enter_async_context(fault.happens(scene))
        injected = time.monotonic()
        if "fresh" in kinds:
            agents["fresh"] = await stack.enter_async_context(agent(scene, "fresh"))
        asked = asyncio.ensure_future(all_tools(scene.node))
        deadline = pace * SOON + max(fault.deadline for fault in faults) + (BRISK["start_allowance"] if starts else 0.0)
        await _until(lambda: all(each.document or each.ended for each in agents.values()), STARTED)
        await _until(lambda: all(settled(each, expected) for each in agents.values()), deadline)
        await asyncio.sleep(STANDS)
        ended = time.monotonic()
        for name, each in agents.items():
            since = began if name == "held" else injected
            row.said.append(judge_agent(name, each, since, ended, expected, injected=injected, starts=starts))
        if "check" in kinds:
            row.said.append(await _checked(scene, pace, expected))
        row.scripts = await asked
        await happening.aclose()
        same = {name: each for name, each in agents.items() if name != "fresh" or "held" in kinds}
        row.wrong += await _recovers(same, _well_again(scene, pace))
        if "check" in kinds:
            after = await _well_by_check(scene, pace)
            row.wrong += [f"check after it: {each}" for each in after.wrong]
        if row.disagree:
            row.wrong.append(f"the observers disagree: {', '.join(sorted({each.code for each in row.said}))}")


async def _checked(scene: Scene, pace: float, expected: Expected) -> Said:
    """On a busy machine an answer may be late once."""
    said = judge_check(await check(scene, pace), expected)
    if pace > BUSY and said.wrong and said.code.endswith("-slow"):
        said = judge_check(await check(scene, pace), expected)
    return said


async def _well_by_check(scene: Scene, pace: float) -> Said:
    """It asks everything now, what an agent asks again each twentieth interval, too: ovn-northd may still be in its
    backoff."""
    deadline = time.monotonic() + WELL_AGAIN * pace
    while (said := await _checked(scene, pace, Expected.of([]))).wrong and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(CHECKS_AGAIN)
    return said


async def _old_enough(node: Sandbox) -> None:
    """No daemon is within the allowance of its start any more: ``starting`` would be true."""
    found = [Process.of(node.pid(name)) for name in node.daemons if node.running(name)]
    youngest = max((process.started for process in found if process), default=0.0)
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - youngest
    await asyncio.sleep(max(BRISK["start_allowance"] - age, 0.0))


def _well_again(scene: Scene, pace: float) -> float:
    """Agents that remember restarts for longer than usual have until these are forgotten."""
    usual = BRISK["restarts_within"]
    return WELL_AGAIN * pace + scene.settings.get("restarts_within", usual) - usual


async def _recovers(agents: dict[str, Agent], deadline: float) -> list[str]:
    """What is not healthy again after so many seconds."""
    await _until(lambda: all(each.code == "healthy" for each in agents.values()), deadline)
    return [
        f"{name} stays with {each.code or 'nothing'} after it was undone: {_evidence(each)}"
        for name, each in agents.items()
        if each.code != "healthy"
    ]


def _evidence(held: Agent) -> str:
    return "; ".join(held.document.get("diagnosis", {}).get("evidence", []))


async def _until(fact: Callable[[], bool], seconds: float) -> None:
    """Until it holds, or the deadline is over: what follows is judged either way."""
    with suppress(DeadlineExceeded):
        await until(fact, seconds, "")

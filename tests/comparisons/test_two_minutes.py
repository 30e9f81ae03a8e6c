"""The pod is kept as a kubelet keeps it, and the story is told from what happened."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable

from bench.pod import History, Pod, Probe, Probes
from bench.two_minutes import of_ovsnet, play
from bench.two_minutes_page import CAUSES, KUBE_OVN, OVSNET, Round, Story, content, too_early, verdicts
from ovsnet.bench.machine import this_machine
from tests.patience import PATIENCE

TIMES = 0.001
"""A minute of a cluster in 60 ms: the order of things is tested, and not how long they take."""

SWITCH = next(each for each in CAUSES if each.key == "switch")
NONE = next(each for each in CAUSES if each.key == "none")


class Slow:
    """A container whose script gets to its end at its nth start only."""

    def __init__(self, *, works_at: int) -> None:
        self.starts = 0
        self.graces: list[float] = []
        self._works_at = works_at

    @property
    def works(self) -> bool:
        return self.starts >= self._works_at

    async def run(self) -> None:
        self.starts += 1
        if not self.works:
            await asyncio.Event().wait()

    async def terminate(self, grace: float) -> None:
        self.graces.append(grace)


def asking(ask: Callable[[], bool], *, delay: float = 0.0, failures: int = 3) -> Probe:
    async def question() -> bool:
        return ask()

    return Probe(question, delay=delay, period=5.0, timeout=1e6, failures=failures)


async def kept(pod: Pod, fact: Callable[[History], bool]) -> History:
    """What happened until ``fact``."""
    keeping = asyncio.create_task(pod.run())
    try:
        assert await pod.until(fact, within=PATIENCE / TIMES)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    return pod.history


async def test_liveness_that_fails_kills_again_and_again_until_a_start_is_quick_enough() -> None:
    container = Slow(works_at=3)
    probes = Probes(asking(lambda: container.works), asking(lambda: container.works, delay=60.0, failures=5))
    history = await kept(Pod(container, probes, times=TIMES), lambda history: history.ready is not None)
    assert (len(history.starts), len(history.kills), len(history.done)) == (3, 2, 1)
    assert history.kills[0] - history.starts[0] >= 60.0 + 4 * 5.0
    assert history.starts[2] - history.kills[1] >= 10.0
    assert container.graces == [30.0 * TIMES] * 2


async def test_startup_probe_that_never_passes_holds_the_liveness_back() -> None:
    asked = 0

    def starting() -> bool:
        nonlocal asked
        asked += 1
        return False

    container = Slow(works_at=99)
    never = asking(lambda: False)
    pod = Pod(container, Probes(never, never, asking(starting, failures=2**31)), times=TIMES)
    keeping = asyncio.create_task(pod.run())
    async with asyncio.timeout(PATIENCE):
        while asked < 20:  # noqa: ASYNC110 - what is asked has no event
            await asyncio.sleep(0.01)
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    assert not pod.history.kills


async def test_switch_that_is_held_up_has_kube_ovns_probes_kill_the_start() -> None:
    """All times are a twentieth, but for those of processes, and with them those of the script: the hold-up lasts."""
    times = 0.05
    lasting = dataclasses.replace(SWITCH, seconds=PATIENCE / times)
    found = await play(lasting, KUBE_OVN, 0, times, PATIENCE / times, enough=lambda history: bool(history.kills))
    assert found.problem == ""
    assert found.kills
    assert found.ready is None


async def test_start_that_nothing_holds_up_is_over_when_it_serves() -> None:
    times = 0.1
    found = await play(NONE, OVSNET, 0, times, PATIENCE / times)
    assert (found.problem, found.kills) == ("", [])
    assert found.ready is not None
    assert found.serves is not None


def test_ovsnets_probes_are_those_that_it_renders() -> None:
    probes = of_ovsnet("http://127.0.0.1:10670")
    assert probes.startup is not None
    assert probes.startup.failures > 10**9
    assert probes.liveness.failures * probes.liveness.period >= 300


def story(*rounds: Round) -> Story:
    return Story(began="2026-01-01", machine=this_machine(), rounds=list(rounds))


def test_loop_is_called_one_where_two_kills_end_in_nothing() -> None:
    looped = Round(cause="switch", probes=KUBE_OVN, number=0, kills=[80.0, 190.0])
    spared = Round(cause="switch", probes=OVSNET, number=0, ready=101.0, serves=100.5)
    quick = Round(cause="none", probes=KUBE_OVN, number=0, ready=10.1, serves=1.2)
    said = list(verdicts(story(looped, spared, quick)))
    assert said == [
        "nothing is slow: no kill in 1 rounds: refuted as a cause of one.",
        f"**{SWITCH.title}: a kill loop** in 1 of 1 rounds.",
    ]
    early = Round(cause="none", probes=KUBE_OVN, number=0, ready=10.0, serves=110.0)
    assert list(too_early(story(looped, spared, quick, early))) == [
        f"nothing is slow: under {KUBE_OVN} ready 100.00 s before the flows are in, in 1 of 2 rounds."
    ]
    page = "\n".join(content(story(looped, spared, quick)))
    assert f"| {SWITCH.title} | {KUBE_OVN} | 1 | 2 times, first after 80.00 s | not within 300 s: 1 |" in page
    assert f"| {SWITCH.title} | {OVSNET} | 1 | never | 100.50 | 101.00 |" in page
    assert "Not to be quoted" not in page

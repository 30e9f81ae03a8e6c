"""The article's two minutes, played: a node whose start is slow, under Kube-OVN's probes and under ovsnet's.

``python -m bench.two_minutes`` starts Open vSwitch in the order of Kube-OVN's start-ovs.sh on sandbox nodes that are
slow for each of the causes, each twice at once: beside the probes of charts/kube-ovn (ovsovn-ds.yaml), which run the
commands of ovs-healthcheck.sh, and beside ovsnet's, which ask its agent. A kubelet-like prober counts failures, kills
and starts again. Ten rounds of each cause take up to 50 minutes; ``--rounds 1 --times 0.1`` is a short look, with the
cluster's times a tenth as long, and is not to be quoted. ``write`` measures nothing, and writes the page.

start-ovs.sh sets ``ovn-remote`` by an ``ovs-vsctl`` that waits for ovs-vswitchd, and starts ovn-controller after that:
what holds the switch up holds the script up, and the liveness probe finds no ovn-controller.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from bench.page import README, replaced
from bench.pod import History, Pod, Probe, Probes
from bench.processes import agent, serving
from bench.round_of_checks import healthcheck
from bench.runner import versions
from bench.suites import INSTALLED, RESULTS, SUITES, on_suite, with_suite
from bench.two_minutes_page import (
    CAUSES,
    CONTROLLER,
    DATABASE,
    KUBE_OVN,
    LIMIT,
    NAME,
    OVSNET,
    SWITCH,
    Cause,
    Round,
    Story,
    content,
    draw,
    problems,
)
from ovsnet.bench.load_clients import LoadClients
from ovsnet.bench.machine import busy_cores, doubt, this_machine
from ovsnet.bench.race import Strategy
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.probes import readiness, switch_probes
from ovsnet.errors import OvsnetError
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from tests.web.kubelet import Probe as HttpProbe
from tests.web.kubelet import ask

CONTAINER = (CONTROLLER, SWITCH, DATABASE)
"""The daemons of the container, in the order in which ``quit`` of start-ovs.sh stops them."""

DESCRIPTION = "Play the article's two minutes: up to 50 minutes for a suite, on a machine that does nothing else."

LOOKS = 0.5
LONGEST_LOOK = 3.0
BETWEEN_LOOKS = 0.5
"""Seconds: a look takes some processes, and ten nodes share two cores. It takes two to see flows that stay."""


class OpenVSwitch:
    """The container ``openvswitch``: what start-ovs.sh does, on a node that is slow."""

    def __init__(self, node: Sandbox, cause: Cause, times: float) -> None:
        self._node = node
        self._cause = cause
        self._times = times
        self._held: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        await self._start(DATABASE)
        await self._start(SWITCH)
        # As the script: it waits until ovs-vswitchd has taken the change.
        hours = 3600.0
        await self._node.run("ovs-vsctl", "set", "open", ".", "external-ids:hostname=node", timeout=hours)
        await self._start(CONTROLLER)

    async def terminate(self, grace: float) -> None:
        """bash runs its trap when the command that it waits for has ended. Where that is held up, the grace passes."""
        for task in self._held:
            task.cancel()
        running = [name for name in CONTAINER if self._node.running(name)]
        if any(self._node.frozen(name) for name in running):
            await asyncio.sleep(grace)
        for name in running:
            await self._node.kill(name)

    async def _start(self, name: str) -> None:
        if name != self._cause.held:
            await self._node.start(name)
            return
        # A switch that finds its configuration serves within milliseconds of its start: it finds none until it is held.
        before = [DATABASE] if name == SWITCH else []
        for each in before:
            await self._node.freeze(each)
        await self._node.start(name)
        await self._node.freeze(name)
        for each in before:
            await self._node.thaw(each)
        self._held.append(asyncio.create_task(self._release(name)))

    async def _release(self, name: str) -> None:
        await asyncio.sleep(self._cause.seconds * self._times)
        await self._node.thaw(name)


def of_kube_ovn(node: Sandbox) -> Probes:
    """Of charts/kube-ovn/templates/ovsovn-ds.yaml at 1533681d7: both run ovs-healthcheck.sh."""
    commands, environment = healthcheck(node)

    async def script() -> bool:
        for command in commands:
            process = await asyncio.create_subprocess_exec(
                *command,
                env=os.environ | environment,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            try:
                if await process.wait():
                    return False
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        return True

    return Probes(
        readiness=Probe(script, delay=10, period=5, timeout=45, failures=3),
        liveness=Probe(script, delay=60, period=5, timeout=45, failures=5),
    )


def of_ovsnet(url: str) -> Probes:
    """Of ``ovsnet kubernetes render kube-ovn``, whose agent serves at ``url``."""
    place = urlsplit(url)
    deployment = Deployment()
    shapes = {**switch_probes(deployment), "readinessProbe": readiness(deployment)}

    def probe(name: str, path: str) -> Probe:
        shape = shapes[name]
        period, timeout, failures = (
            float(str(shape[key])) for key in ("periodSeconds", "timeoutSeconds", "failureThreshold")
        )
        http = HttpProbe(path, timeout=timeout)

        async def question() -> bool:
            return bool(await ask(str(place.hostname), int(place.port or 0), http))

        return Probe(question, delay=0, period=period, timeout=2 * timeout, failures=int(failures))

    return Probes(
        readiness=probe("readinessProbe", "/readyz"),
        liveness=probe("livenessProbe", "/ovs/livez"),
        startup=probe("startupProbe", "/startupz"),
    )


@contextlib.asynccontextmanager
async def probes_of(which: str, node: Sandbox) -> AsyncIterator[Probes]:
    """While it lasts, what answers them runs."""
    if which == KUBE_OVN:
        yield of_kube_ovn(node)
        return
    stack = contextlib.ExitStack()
    try:
        server = await asyncio.to_thread(stack.enter_context, serving(agent(node)))
        yield of_ovsnet(server.url)
    finally:
        await asyncio.to_thread(stack.close)


def is_ready(history: History) -> bool:
    """Where a round ends by itself."""
    return history.ready is not None


async def play(
    cause: Cause,
    which: str,
    number: int,
    times: float,
    limit: float = LIMIT,
    *,
    enough: Callable[[History], bool] = is_ready,
) -> Round:
    """One node from a boot on: its central daemons run, and its container is started for the first time. It ends when
    there is ``enough``, and with what the node serves then."""
    found = Round(cause=cause.key, probes=which, number=number)
    async with Sandbox() as node:
        await node.wait_ready(240.0)
        for name in CONTAINER:
            await node.stop(name)
        async with probes_of(which, node) as probes, _beside(node, cause, times):
            pod = Pod(OpenVSwitch(node, cause, times), probes, times=times)
            keeping = asyncio.create_task(pod.run())
            serving_ = asyncio.create_task(_serves(node))
            began = asyncio.get_running_loop().time()
            try:
                await pod.until(enough, limit)
                left = began + limit * times - asyncio.get_running_loop().time()
                if is_ready(pod.history):
                    await asyncio.wait([serving_], timeout=max(left, 0.0))
            finally:
                for task in (keeping, serving_):
                    task.cancel()
                ended = await asyncio.gather(keeping, serving_, return_exceptions=True)
            found.problem = next((str(each) for each in ended if isinstance(each, OvsnetError)), "")
            found.starts, found.kills, found.ready = pod.history.starts, pod.history.kills, pod.history.ready
            if isinstance(ended[1], float):
                found.serves = (ended[1] - began) / times
    return found


async def _serves(node: Sandbox) -> float:
    """When the flows are in the switch. A daemon that is killed meanwhile is asked again."""
    while True:
        with contextlib.suppress(OvsnetError, TimeoutError):
            async with asyncio.timeout(LONGEST_LOOK):  # what asks a server that is held up hears of its end much later
                await node.wait_ready(LOOKS)
            return asyncio.get_running_loop().time()
        await asyncio.sleep(BETWEEN_LOOKS)


@contextlib.asynccontextmanager
async def _beside(node: Sandbox, cause: Cause, times: float) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        if cause.southbound:
            await node.stop("ovn-sb")
            coming = asyncio.create_task(_later(cause.seconds * times, partial(node.start, "ovn-sb")))
            stack.callback(coming.cancel)
        if cause.clients:
            address = Address.unix(node.rundir / "br-int.mgmt")
            await stack.enter_async_context(LoadClients("openflow", address, cause.clients, Strategy.parse("naive")))
        yield


async def _later(seconds: float, do: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(seconds)
    await do()


async def measure(causes: Sequence[Cause], rounds: int, times: float, at_once: int, limit: float, suite: str) -> Story:
    """Each cause under both probes at once, ``at_once`` such pairs beside each other: they mostly wait."""
    story = Story(
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=this_machine(),
        suite=suite,
        versions=versions(),
        times=times,
        limit=limit,
    )
    if why := doubt(await busy_cores(), this_machine().cores):
        story.doubts.append(why)
    gate = asyncio.Semaphore(at_once)

    async def pair(cause: Cause, number: int) -> None:
        async with gate:
            print(f"round {number + 1}: {cause.title}", file=sys.stderr, flush=True)
            story.rounds += await asyncio.gather(
                *(play(cause, which, number, times, limit) for which in (KUBE_OVN, OVSNET))
            )

    async with asyncio.TaskGroup() as tasks:
        for number in range(rounds):
            for cause in causes:
                tasks.create_task(pair(cause, number))
    return story


def kept(suite: str) -> Path:
    """The file of what was played on ``suite``."""
    return RESULTS / f"{with_suite(NAME, suite)}.json"


def write() -> None:
    """The page, with what was played on each suite."""
    stories = [msgspec.json.decode(kept(each).read_bytes(), type=Story) for each in SUITES if kept(each).exists()]
    for story in stories:
        draw(story)
    README.write_text(replaced(README.read_text(), NAME, "\n\n".join("\n".join(content(each)) for each in stories)))


def main(words: Sequence[str]) -> int:
    """Measure, keep, and write the page. 1 when something was not as wanted."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.two_minutes",
        description=DESCRIPTION,
    )
    parser.add_argument("what", nargs="*", metavar="CAUSE", help=f"{', '.join(each.key for each in CAUSES)}, or write")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument(
        "--times", type=float, default=1.0, help="how many times as long everything takes: 0.1 is short"
    )
    parser.add_argument("--at-once", type=int, default=5, help="pairs of nodes beside each other")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds after which a round is given up")
    parser.add_argument("--suite", choices=SUITES, default=INSTALLED, help="Open vSwitch and OVN to play it with")
    parser.add_argument("--out", type=Path, help="where to keep it instead of the page")
    chosen = parser.parse_args(words)
    known = {each.key: each for each in CAUSES}
    if unknown := set(chosen.what) - {*known, "write"}:
        parser.error(f"there is no cause {', '.join(unknown)}")
    logging.getLogger("ovsnet").disabled = True
    out = chosen.out or kept(chosen.suite)
    if "write" not in chosen.what:
        causes = [known[key] for key in chosen.what] or CAUSES
        with on_suite(chosen.suite):
            shape = chosen.rounds, chosen.times, chosen.at_once, chosen.limit, chosen.suite
            story = asyncio.run(measure(causes, *shape))
        out.write_bytes(msgspec.json.format(msgspec.json.encode(story), indent=1) + b"\n")
    story = msgspec.json.decode(out.read_bytes(), type=Story)
    if chosen.out is None:
        write()
    else:
        print("\n".join(content(story)))
    return 1 if story.doubts or problems(story) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

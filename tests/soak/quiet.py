"""``python -m tests.soak.quiet --minutes 3``: nodes on which much happens and nothing is wrong.

On each, an agent with its default settings watches, ``ovsnet check`` is asked again and again, and both may say nothing
but ``healthy``, or ``vswitchd-slow`` where ``ovs-appctl`` waits for its answer longer than an agent does. Exit code 0
when that was so. Nothing else may run: on a busy machine a daemon is slow in earnest.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import sys
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import uvloop

from bench import ports
from ovsnet import ovsdb
from ovsnet.config import Settings
from ovsnet.io.address import Address
from ovsnet.sandbox.node import Sandbox
from tests.faults.fault import Scene
from tests.matrix.agents import Agent, agent, check

SETTLED = 60.0
"""Seconds in which the agent must call the node healthy."""

POD_GOES = 1.0
"""Seconds between the end of a pod's device and that of its port. A CNI plugin deletes the port first; the other way
round it comes when a container's runtime crashes. ``ovsnet check`` looks at a broken port twice, 1.5 s apart."""

POD_LIVES = 2.0
PODS_AT_ONCE = 3
ASKED_EVERY = 5.0
"""Seconds between two ``ovsnet check``."""

Life = Callable[[Sandbox], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Node:
    """What happens on it, for as long as it is let. ``filled`` is what must be there before anybody looks."""

    life: Life
    ovn: bool = True
    filled: Life | None = None


@dataclass(slots=True)
class Outcome:
    """How often it was asked, the most seconds that ``ovs-appctl`` waited for ovs-vswitchd, what ``check`` said each
    time, by code, and sentences on what was wrong."""

    checks: int = 0
    longest: float = 0.0
    said: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def nothing(node: Sandbox) -> None:
    """No change at all."""
    await asyncio.Event().wait()


async def restarting_pods(node: Sandbox) -> None:
    """Pods that are deleted and made again, some at a time: each loses its device a moment before its port goes."""

    async def restart(pod: int) -> None:
        name = f"pod{pod}"
        for life in itertools.count():
            add = ("add-port", "br-int", name, "--", "set", "Interface", name, "type=dummy")
            await node.run("ovs-vsctl", "--no-wait", *add, f"external_ids:iface-id={name}-{life}")
            await asyncio.sleep(POD_LIVES)
            await node.run("ovs-vsctl", "--no-wait", "set", "Interface", name, "type=device-is-gone")
            await asyncio.sleep(POD_GOES)
            await node.run("ovs-vsctl", "--no-wait", "del-port", "br-int", name)

    async with asyncio.TaskGroup() as pods:
        for pod in range(PODS_AT_ONCE):
            pods.create_task(restart(pod))


async def many_ports(node: Sandbox) -> None:
    """Thousands of them."""
    async with await ovsdb.connect(_database(node)) as session:
        await ports.fill(session)


async def churning_ports(node: Sandbox) -> None:
    """Among thousands, tens come or go each second."""
    async with await ovsdb.connect(_database(node)) as session:
        await ports.churn(session)


async def recomputing_flows(node: Sandbox) -> None:
    """ovn-controller recomputes all flows, each second."""
    while True:
        await node.run("ovn-appctl", "-t", "ovn-controller", "inc-engine/recompute")
        await asyncio.sleep(1.0)


async def compacting_databases(node: Sandbox) -> None:
    """The database of Open vSwitch is compacted, each second, as a cron job does too often."""
    while True:
        await node.run("ovs-appctl", "-t", "ovsdb-server", "ovsdb-server/compact")
        await asyncio.sleep(1.0)


NODES = {
    "idle": Node(nothing),
    "without OVN": Node(nothing, ovn=False),
    "pods that restart": Node(restarting_pods),
    "3000 ports, 50 changes a second": Node(churning_ports, filled=many_ports),
    "the same without OVN": Node(churning_ports, ovn=False, filled=many_ports),
    "flows recomputed": Node(recomputing_flows),
    "databases compacted": Node(compacting_databases),
}


def _database(node: Sandbox) -> Address:
    return Address.unix(node.rundir / "db.sock")


async def watch(node: Node, minutes: float) -> Outcome:
    """What an agent and ``ovsnet check`` say of such a node."""
    outcome = Outcome()
    async with Sandbox(ovn=node.ovn) as sandbox:
        await sandbox.wait_ready(timeout=SETTLED)
        if node.filled is not None:
            await node.filled(sandbox)
        with TemporaryDirectory(dir=sandbox.directory) as scratch:
            scene = Scene.of(sandbox, Path(scratch))
            async with agent(scene, "held", {}) as observer:
                await observer.until_says("healthy", SETTLED)
                began = time.monotonic()
                living = asyncio.create_task(node.life(sandbox))
                while time.monotonic() < began + 60 * minutes and not living.done():
                    await _ask(scene, outcome)
                    await asyncio.sleep(ASKED_EVERY)
                if living.done():
                    outcome.wrong.append(f"what happens there ended: {living.exception()}")
                living.cancel()
                await asyncio.gather(living, return_exceptions=True)
                outcome.wrong += [sentence for code, sentence in outcome.said if code not in _true(outcome)]
                outcome.wrong += _false(observer, outcome, began)
    return outcome


def _true(outcome: Outcome) -> set[str]:
    """The codes that are true. Among 3000 ports of the sandbox's datapath, one change keeps ovs-vswitchd busy for more
    than a second."""
    return {"healthy"} | ({"vswitchd-slow"} if outcome.longest > Settings().timeout else set())


async def _ask(scene: Scene, outcome: Outcome) -> None:
    outcome.checks += 1
    asked = time.monotonic()
    await scene.node.run("ovs-appctl", "-t", "ovs-vswitchd", "version")
    outcome.longest = max(outcome.longest, time.monotonic() - asked)
    found = await check(scene, pace=1.0)
    said = found.document.get("diagnosis", {})
    sentence = f"check said {said.get('code')} ({said.get('evidence')}), exit code {found.exit_code}"
    outcome.said.append((str(said.get("code")), sentence))
    if found.exit_code:
        outcome.wrong.append(sentence)
    if found.errors:
        outcome.wrong.append(f"check printed {found.errors}")


def _false(observer: Agent, outcome: Outcome, began: float) -> list[str]:
    """What the agent said after ``began`` and was not true."""
    told = [
        f"the agent said {each.what} ({each.why})"
        for each in observer.codes
        if each.at > began and each.what not in _true(outcome)
    ]
    for name, answers in (("/readyz", observer.readyz), ("/ovs/livez", observer.livez)):
        told += [f"{name} said {each.what}" for each in answers if each.at > began and each.what != "200"]
    return told + [f"the agent printed {line}" for line in observer.errors]


def say(line: str) -> None:
    """At once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def quiet(minutes: float, only: str) -> bool:
    """Whether nothing was said on any of the nodes whose names match."""
    wrong = 0
    for name, node in NODES.items():
        if not fnmatch(name, only):
            continue
        outcome = await watch(node, minutes)
        say(f"{name}: {outcome.checks} checks, ovs-appctl waited {outcome.longest:.1f} s, {len(outcome.wrong)} wrong")
        for sentence in outcome.wrong:
            say(f"WRONG  {sentence}")
        wrong += len(outcome.wrong)
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak.quiet", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0, help="on each node, default 3")
    parser.add_argument("--only", metavar="GLOB", default="*", help="nodes by this name alone")
    asked = parser.parse_args()
    return 0 if uvloop.run(quiet(asked.minutes, asked.only)) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Incidents made on real daemons, and whether ``explain`` names their root from the logs alone.

``python -m tests.explain.incidents [NAME...]`` takes some five minutes; ``python -m ovsnet.sandbox.suite sid python -m
tests.explain.incidents`` does the same on another generation. The truth is what was done. The logs are kept, where
``--keep DIRECTORY`` names a place for them.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from ovsnet.sandbox.node import Sandbox

Step = Callable[[Sandbox], Awaitable[object]]
SETTLE = 1.5
"""Seconds before and after what is done, in which the daemons log what they are about."""
SWITCH, DATABASE, CONTROLLER, SOUTHBOUND = "ovs-vswitchd", "ovsdb-server", "ovn-controller", "ovn-sb"


def sleep(seconds: float) -> Step:
    return lambda node: asyncio.sleep(seconds)


def stop(daemon: str) -> Step:
    return lambda node: node.stop(daemon)


def start(daemon: str) -> Step:
    return lambda node: node.start(daemon)


def restart(daemon: str) -> Step:
    return lambda node: node.restart(daemon)


def away(daemon: str, seconds: float, after: float) -> tuple[Step, ...]:
    return stop(daemon), sleep(seconds), start(daemon), sleep(after)


def killed(daemon: str, seconds: float, after: float) -> tuple[Step, ...]:
    return (lambda node: node.kill(daemon)), sleep(seconds), start(daemon), sleep(after)


def frozen(daemon: str, seconds: float, after: float) -> tuple[Step, ...]:
    return (lambda node: node.freeze(daemon)), sleep(seconds), (lambda node: node.thaw(daemon)), sleep(after)


def control(command: str) -> Step:
    return lambda node: node.run("ovn-appctl", "-t", CONTROLLER, command)


def configure(*arguments: str) -> Step:
    return lambda node: node.run("ovs-vsctl", "--no-wait", *arguments)


async def unlink(node: Sandbox) -> None:
    (node.rundir / "br-int.mgmt").unlink()


async def crash(node: Sandbox) -> None:
    os.kill(node.pid(SWITCH), 11)


async def by_tcp(node: Sandbox) -> None:
    """A client that is at a unix socket does not probe."""
    (door,) = node.doors.values()
    await node.run("ovs-vsctl", "--no-wait", "set", "open", ".", f"external_ids:ovn-remote={door}")


@dataclass(frozen=True, slots=True)
class Incident:
    """What is done to which node, and the one root that is right; "" where nothing is wrong."""

    name: str
    code: str
    steps: Sequence[Step]
    node: Callable[[], Sandbox] = Sandbox


IN_TURN = (1.05, 2.05, 4.05)
INCIDENTS = (
    Incident("first-start", "", [sleep(2)], lambda: Sandbox(bridge=False)),
    Incident("switch-away", "vswitchd-down", away(SWITCH, 4.2, 4.5)),
    Incident("switch-killed", "vswitchd-down", killed(SWITCH, 1.5, 3)),
    Incident("switch-crashed", "vswitchd-down", [crash, sleep(2), start(SWITCH), sleep(3)]),
    Incident(
        "switch-again-and-again",
        "vswitchd-down",
        [*(step for wait in IN_TURN for step in (restart(SWITCH), sleep(wait))), restart(SWITCH), sleep(9)],
    ),
    Incident(
        "controller-ahead", "vswitchd-down", [stop(SWITCH), restart(CONTROLLER), sleep(3.5), start(SWITCH), sleep(5)]
    ),
    Incident("database-away", "ovsdb-down", away(DATABASE, 3.5, 5)),
    Incident(
        "all-away",
        "ovsdb-down",
        [
            *map(stop, (CONTROLLER, SWITCH, DATABASE)),
            sleep(6),
            *map(start, (DATABASE, SWITCH, CONTROLLER)),
            sleep(3),
        ],
    ),
    Incident("controller-restarted", "controller-down", [restart(CONTROLLER), sleep(1)]),
    Incident(
        "controller-late", "controller-down", [stop(CONTROLLER), restart(SWITCH), sleep(3), start(CONTROLLER), sleep(1)]
    ),
    Incident("controller-paused", "controller-paused", [control("debug/pause"), sleep(3), control("debug/resume")]),
    Incident("southbound-away", "southbound-down", away(SOUTHBOUND, 5, 4)),
    Incident(
        "southbound-away-at-a-restart",
        "southbound-down",
        [stop(SOUTHBOUND), restart(CONTROLLER), restart(SWITCH), sleep(5), start(SOUTHBOUND), sleep(4)],
    ),
    Incident(
        "southbound-frozen",
        "southbound-hung",
        [by_tcp, sleep(3), *frozen(SOUTHBOUND, 22, 10)],
        lambda: Sandbox(door="tcp"),
    ),
    Incident("leader-killed", "southbound-down", killed("ovn-sb1", 6, 4), lambda: Sandbox(raft=True)),
    Incident("leader-frozen", "southbound-hung", frozen("ovn-sb1", 14, 4), lambda: Sandbox(raft=True)),
    Incident(
        "southbound-nowhere",
        "southbound-down",
        [configure("set", "open", ".", "external_ids:ovn-remote=tcp:127.0.0.1:1"), restart(CONTROLLER), sleep(16)],
    ),
    Incident("socket-unlinked", "mgmt-socket-missing", [unlink, restart(CONTROLLER), sleep(14)]),
    Incident(
        "no-encapsulation",
        "chassis-unconfigured",
        [configure("remove", "open", ".", "external_ids", "ovn-encap-ip"), restart(CONTROLLER), sleep(6)],
    ),
)


async def codes(incident: Incident, keep: Path) -> list[str]:
    """The roots that the logs name."""
    kept = keep / incident.name
    kept.mkdir(parents=True)
    async with incident.node() as node:
        await asyncio.sleep(SETTLE)
        for step in incident.steps:
            await step(node)
        await asyncio.sleep(SETTLE)
        for path in node.directory.rglob("*.log"):
            shutil.copy(path, kept)
    found = explain([str(kept)], io.BytesIO(), Zone(), lambda name, count: None)
    return sorted({outage.code for outage in found.outages})


async def main(names: Sequence[str], keep: Path) -> int:
    wrong = 0
    for incident in INCIDENTS:
        if names and incident.name not in names:
            continue
        found = await codes(incident, keep)
        right = found == ([incident.code] if incident.code else [])
        wrong += not right
        print(f"{'ok' if right else 'WRONG':6} {incident.name:30} {', '.join(found) or 'nothing'}", flush=True)  # noqa: T201
    return wrong


if __name__ == "__main__":
    arguments = sys.argv[1:]
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        if arguments[:1] == ["--keep"]:
            place, arguments = Path(arguments[1]), arguments[2:]
        sys.exit(min(asyncio.run(main(arguments, place)), 1))

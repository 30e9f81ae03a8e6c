"""The agent with default settings, and when it noticed what: a line of JSON on stdout for each change.

Its times are of CLOCK_MONOTONIC, which all processes of a host share.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import msgspec
import uvloop

from ovsnet.agent.agent import Agent
from ovsnet.cli.serve import run_agent
from ovsnet.config import Settings
from ovsnet.health.state import Change
from ovsnet.node.rundir import Rundir


class Noticed(msgspec.Struct, frozen=True):
    """``what`` is a diagnosis by its code, a check by its name and its new status, or "serving URL" at the start."""

    at: float
    what: str


async def ready(agent: Agent, urls: list[str]) -> None:
    agent.subscribe(lambda change: tell(_words(change)))
    tell(f"serving {urls[0]}")


def tell(what: str) -> None:
    sys.stdout.write(msgspec.json.encode(Noticed(time.monotonic(), what)).decode() + "\n")
    sys.stdout.flush()


def _words(change: Change) -> str:
    if change.diagnosis is not None:
        return change.diagnosis.code
    assert change.result is not None
    return f"{change.result.name} {change.result.status}"


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    uvloop.run(run_agent(Settings(listen=("127.0.0.1:0",)), Rundir(directory, directory), ready))

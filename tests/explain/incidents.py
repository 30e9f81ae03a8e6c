"""Incidents made on real daemons, and whether ``explain`` names their root from the logs alone.

``python -m tests.explain.incidents [NAME...]`` takes some twelve minutes; ``python -m ovsnet.sandbox.suite sid python
-m tests.explain.incidents`` does the same on another generation. The truth is what was done. The logs are kept, where
``--keep DIRECTORY`` names a place for them.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from ovsnet.errors import OvsnetError
from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from tests.explain.catalogue import INCIDENTS
from tests.explain.steps import Incident

SETTLE = 1.5
"""Seconds before and after what is done, in which the daemons log what they are about."""


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
        try:
            found = await codes(incident, keep)
        except OvsnetError as error:
            found = [f"it could not be made: {error}"]
        right = found == incident.code.split()
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

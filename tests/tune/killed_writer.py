"""Apply again and again, and be killed at a random moment of each: ``python killed_writer.py RUNDIR ROUNDS SEED``.

A program of its own, that forks a writer per round: a fork costs a millisecond, a new interpreter 300. After each
round it prints what the database holds, as JSON, and takes it back.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
import time

from ovsnet.io.address import Address
from ovsnet.ovsdb import Session, connect
from ovsnet.tune.apply import apply
from ovsnet.tune.facts import Facts
from ovsnet.tune.plan import plan
from ovsnet.tune.record import plan_revert
from ovsnet.tune.sessions import read_facts
from ovsnet.tune.wanted import wanted

PAIRS = (
    "max-idle=20000",
    "n-revalidator-threads=3",
    "ovn-remote-probe-interval=60000",
    "manager-inactivity-probe=30000",
)
CREATE = {"manager-inactivity-probe": "ptcp:0:127.0.0.1"}


async def write(address: Address) -> None:
    async with await connect(address, timeout=20) as session:
        sessions = {"Open_vSwitch": session}
        facts = await read_facts(sessions, timeout=20)
        await apply(plan(facts, wanted(pairs=PAIRS), create=CREATE), sessions, timeout=20)


async def look_and_revert(address: Address) -> list[dict[str, object]]:
    """What was there, and what is there after a revert."""
    async with await connect(address, timeout=20) as session:
        found = held(await read_facts({"Open_vSwitch": session}, timeout=20))
        await revert(session)
        return [found, held(await read_facts({"Open_vSwitch": session}, timeout=20))]


async def revert(session: Session) -> None:
    sessions = {"Open_vSwitch": session}
    await apply(plan_revert(await read_facts(sessions, timeout=20)), sessions, timeout=20)


def held(facts: Facts) -> dict[str, object]:
    """All that tuning may touch, without the names of rows that come and go."""
    (root,) = facts.rows("Open_vSwitch", "Open_vSwitch")
    managers = [[row.label, row.columns["inactivity_probe"]] for row in facts.rows("Open_vSwitch", "Manager")]
    maps = {column: dict(sorted(root.columns[column].items())) for column in ("external_ids", "other_config")}
    return {"managers": managers, **maps}


def killed(address: Address, after: float) -> None:
    if (child := os.fork()) == 0:
        asyncio.run(write(address))
        os._exit(0)
    time.sleep(after)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def tell(found: object) -> None:
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()


def main(rundir: str, rounds: str, seed: str) -> None:
    address, rng = Address.unix(f"{rundir}/db.sock"), random.Random(int(seed))
    began = time.monotonic()
    asyncio.run(write(address))
    took = time.monotonic() - began
    tell(asyncio.run(look_and_revert(address)))
    for _ in range(int(rounds)):
        killed(address, rng.uniform(0, 1.5 * took))
        tell(asyncio.run(look_and_revert(address)))


if __name__ == "__main__":
    main(*sys.argv[1:])

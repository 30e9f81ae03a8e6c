"""Of several that run, one is active: it counts in ``external_ids`` as long as it holds the lock.

    python examples/take_lock.py unix:/run/openvswitch/db.sock my_tool

When it ends, loses its server, or is robbed of the lock, another one goes on. Each write asserts the lock, so that one
that was robbed and has not heard of it yet changes nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys

from ovsnet import ovsdb
from ovsnet.errors import DeadlineExceeded, PeerError


async def count(db: ovsdb.LiveDatabase, lock: ovsdb.Lock) -> None:
    """Until the lock is lost."""
    number = 0
    while lock.held:
        number += 1
        async with db.transaction(comment=f"{lock.name} counts") as t:
            t.assert_lock(lock)
            t.mutate("Open_vSwitch", [], ("external_ids", "delete", [lock.name]))
            t.mutate("Open_vSwitch", [], ("external_ids", "insert", {lock.name: str(number)}))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(lock.lost, 0.2)


async def lead(remotes: str, name: str) -> None:
    """Active when the lock can be had, standby else; until interrupted."""
    async with ovsdb.Client(remotes) as client:
        db = client["Open_vSwitch"]
        while True:
            try:
                async with db.lock(name, timeout=60.0) as lock:
                    print("active", flush=True)
                    await count(db, lock)
            except DeadlineExceeded:
                print("still waiting", flush=True)
            except PeerError as error:
                print(f"standby: {error}", flush=True)


if __name__ == "__main__":
    asyncio.run(lead(sys.argv[1], sys.argv[2]))

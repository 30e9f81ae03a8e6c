"""Print a table, and then every change of it, over restarts of the server.

    python examples/watch_table.py unix:/run/openvswitch/db.sock Open_vSwitch Bridge name fail_mode

Several servers of a cluster are listed with commas; without columns all are watched.
"""

from __future__ import annotations

import asyncio
import sys

from ovsnet import ovsdb


async def watch(remotes: str, database: str, table: str, columns: list[str]) -> None:
    """Until interrupted."""
    async with (
        ovsdb.Client(remotes) as client,
        client[database].monitor({table: columns or None}) as monitor,
    ):
        async for changes in monitor:
            if changes.coalesced:
                count = "an unknown number of" if changes.resumed else changes.transactions
                print(f"# {count} transactions at once")
            for change in changes:
                if change.new is None:
                    print(f"- {change.uuid}", flush=True)
                else:
                    print(f"{'+' if change.old is None else '~'} {change.uuid} {dict(change.new)}", flush=True)


if __name__ == "__main__":
    asyncio.run(watch(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4:]))

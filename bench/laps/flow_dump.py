"""All flows of a bridge, as text: ``python -m bench.laps.flow_dump ADDRESS``."""

from __future__ import annotations

import sys

import uvloop

from ovsnet.openflow import Version, connect


async def main(address: str) -> None:
    async with connect(address, versions=frozenset({Version.OF13}), timeout=10.0) as switch:
        async for flow in switch.flows(timeout=30.0):
            sys.stdout.write(f"{flow}\n")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))

"""The difference between the flows of two bridges: ``python examples/flow_diff.py TARGET TARGET``.

A target is such as unix:/run/openvswitch/br-int.mgmt. What changes by itself, counters and ages, does not count. The
lines are those of ``ovs-ofctl``, with < for the first bridge alone and > for the second. Exit code 1 when they differ.
"""

from __future__ import annotations

import asyncio
import sys

from ovsnet import openflow


async def rules(target: str) -> set[str]:
    """The flows of one bridge, as lines."""
    async with openflow.connect(target, timeout=5.0) as switch:
        return {flow.rule async for flow in switch.flows()}


async def main(first: str, second: str) -> int:
    """Print the difference, and return the exit code."""
    ours, theirs = await asyncio.gather(rules(first), rules(second))
    for rule in sorted(ours - theirs):
        print("<", rule)
    for rule in sorted(theirs - ours):
        print(">", rule)
    return int(ours != theirs)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))

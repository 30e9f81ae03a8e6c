"""How fast a switch's main loop answers: ``python examples/echo_latency.py TARGET [SECONDS]``.

Every tenth of a second it is sent an echo; what a line shows is one second of them. A switch that restarts is waited
for, and says so.
"""

from __future__ import annotations

import asyncio
import sys
from statistics import median

from ovsnet import openflow
from ovsnet.errors import PeerError


async def main(target: str, seconds: int = 5) -> None:
    """Print a line a second."""
    async with openflow.Client(target) as client:
        for _ in range(seconds):
            latencies = []
            for _ in range(10):
                try:
                    latencies.append(await client.echo(timeout=1.0))
                except PeerError as error:
                    print(f"{client.state}: {error}")
                await asyncio.sleep(0.1)
            if latencies:
                print(f"{median(latencies) * 1e3:.2f} ms, at most {max(latencies) * 1e3:.2f} ms")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], *map(int, sys.argv[2:])))

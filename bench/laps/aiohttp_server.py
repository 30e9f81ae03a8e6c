"""A bare aiohttp application on uvloop with one route and a constant body: what any handler costs at least.

``python -m bench.laps.aiohttp_server`` serves until it is told to end, and prints its URL.
"""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def readyz(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


async def main() -> None:
    app = web.Application()
    app.router.add_get("/readyz", readyz)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    sys.stderr.write(f"serving on http://{host}:{port}\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())

"""Those who look at an agent all the time: ``python -m tests.soak.viewers URL WATCHING ASKING``.

Some watch ``/events``, as the page does, and connect again when the stream ends; some ask for one document after the
other. Says "there" once each has had an answer, and when its input ends, how many answers there were and a line for
each that was wrong.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

import aiohttp
import uvloop

RETRY = 1.0
"""Seconds: what the stream asks for (``retry: 1000``), and a viewer takes between two documents."""

DOCUMENTS = ("/status", "/metrics", "/history", "/")
"""Not ``/livez``: on a machine that stalls, its 503 is true."""

PATIENCE = 60.0
"""Seconds for an answer of an agent that has much to do."""


class Viewers:
    """All of them, and what they have seen."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.answers = 0
        self.wrong: list[str] = []
        self.waited_for: set[int] = set()

    async def look(self, watching: int, asking: int) -> None:
        """Without end."""
        self.waited_for.update(range(watching + asking))
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=PATIENCE, sock_read=PATIENCE)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=timeout) as session:
            watchers = [self._watch(session, number) for number in range(watching)]
            askers = [self._ask(session, number) for number in range(watching, watching + asking)]
            await asyncio.gather(*watchers, *askers)

    async def _watch(self, session: aiohttp.ClientSession, number: int) -> None:
        while True:
            await self._read(session, "/events", lambda: self._answered(number))
            await asyncio.sleep(RETRY)

    async def _ask(self, session: aiohttp.ClientSession, number: int) -> None:
        while True:
            for path in DOCUMENTS:
                await self._read(session, path, lambda: self._answered(number))
                await asyncio.sleep(RETRY)

    async def _read(self, session: aiohttp.ClientSession, path: str, answered: Callable[[], None]) -> None:
        """To its end."""
        try:
            async with session.get(f"{self._url}{path}") as response:
                if response.status != 200:
                    self.wrong.append(f"{path} answered {response.status}: {(await response.text()).strip()}")
                    return
                async for _ in response.content.iter_any():
                    answered()
        except (aiohttp.ClientError, TimeoutError) as error:
            self.wrong.append(f"{path}: {error or type(error).__name__}")

    def _answered(self, number: int) -> None:
        self.answers += 1
        if number in self.waited_for:
            self.waited_for.remove(number)
            if not self.waited_for:
                say("there")


def say(text: str) -> None:
    """At once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(url: str, watching: int, asking: int) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    viewers = Viewers(url)
    looking = asyncio.ensure_future(viewers.look(watching, asking))
    await reader.read()
    looking.cancel()
    await asyncio.wait([looking])
    say("\n".join([str(viewers.answers), *viewers.wrong]))


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))

"""``ovsnet top``: what the agent knows, as it changes."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator
from typing import Protocol, Self

import anyio
import click
from rich.console import Console
from rich.live import Live
from rich.text import Text

from ovsnet.cli.agent_client import fetch_history, fetch_status
from ovsnet.cli.agent_document import AgentStatus, status_of
from ovsnet.cli.options import Duration, with_settings
from ovsnet.cli.terminal import say
from ovsnet.cli.top_keys import Keys, keyboard, press
from ovsnet.cli.top_picture import Known, Lost, View, picture
from ovsnet.cli.top_plain import plain, verdict
from ovsnet.config import Settings
from ovsnet.errors import OvsnetError

HISTORY_EVERY = 10.0
"""Seconds: as long as a slot of the history is."""

REDRAWN_EVERY = 1.0
"""Seconds between two pictures in which nothing but ages have changed."""


@click.command()
@click.option("--every", default="1s", show_default=True, type=Duration(0.1, 3600),
              help="Time between two refreshes.")  # fmt: skip
@click.option("--timeout", default="2s", show_default=True, type=Duration(0.02, 3600),
              help="How long to wait for the agent.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the agent's document once.")
@with_settings("listen")
def top(every: float, timeout: float, as_json: bool, settings: Settings) -> None:
    """Watch a running agent: the diagnosis, each daemon with its last hour, and what happened.

    Space shows or folds the checks that are well, the arrows scroll, ? shows the keys; q or Ctrl-C quits, with exit
    code 0. A terminal that cannot draw (TERM=dumb, or a locale without UTF-8) gets a line for each new diagnosis, and
    anything but a terminal gets all of it once, as plain lines. Exit code 3 when no agent answers at first.
    """
    agent = _Agent(settings.listen[0], timeout)
    if as_json:
        say(json.dumps(asyncio.run(fetch_status(agent.listen, timeout=timeout)), indent=2))
    elif not sys.stdout.isatty():
        for line in plain(asyncio.run(agent.ask())):
            say(line)
    else:
        asyncio.run(_watch(_Screen() if _draws() else _Lines(), agent, every))


def _draws() -> bool:
    return "utf" in sys.stdout.encoding.lower() and not Console().is_dumb_terminal


class _Agent:
    """The agent at ``listen``. Its history changes slowly, and is asked for when something happened."""

    def __init__(self, listen: str, timeout: float) -> None:
        self.listen = listen
        self._timeout = timeout
        self._known: Known | None = None
        self._history_at = 0.0

    async def ask(self) -> Known:
        """Raises what ``fetch_status`` raises."""
        status = status_of(await fetch_status(self.listen, timeout=self._timeout))
        before, now = self._known, time.monotonic()
        history = None if before is None else before.history
        if before is None or _last(before.status) != _last(status) or now - self._history_at >= HISTORY_EVERY:
            history, self._history_at = await fetch_history(self.listen, timeout=self._timeout), now
        self._known = Known(status, history)
        return self._known


def _last(status: AgentStatus) -> tuple[object, ...]:
    """What happened last. Its time is rounded, because clocks are adjusted now and then."""
    return tuple((each.kind, each.code, each.daemon, round(each.at)) for each in status.events[-1:])


class _Show(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def draw(self, known: Known, lost: Lost | None) -> None:
        """Show it. While the agent is lost, ``known`` is what it said last."""

    def typed(self, keys: bytes) -> bool:
        """Whether they say to quit."""


class _Lines:
    """A line for each new diagnosis, for a terminal that cannot move its cursor or lacks our letters."""

    def __init__(self) -> None:
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def draw(self, known: Known, lost: Lost | None) -> None:
        line = verdict(known.status) if lost is None else f"NO ANSWER: {lost.why}"
        if line != self._last:
            self._last = line
            say(f"{time.strftime('%H:%M:%S')} {line}")

    def typed(self, keys: bytes) -> bool:
        return not keys or b"q" in keys.lower()


class _Screen:
    """The whole screen, redrawn."""

    def __init__(self) -> None:
        self._live = Live(screen=True, auto_refresh=False)
        self._view, self._keys = View(), Keys()
        self._furthest = 0

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def draw(self, known: Known, lost: Lost | None) -> None:
        made = picture(known, self._view, *self._live.console.size, lost)
        self._furthest = made.furthest
        self._live.update(Text("\n", no_wrap=True, overflow="crop").join(made.lines), refresh=True)

    def typed(self, keys: bytes) -> bool:
        return not keys or any(press(key, self._view, self._furthest) for key in self._keys.pressed(keys))


class _Watched:
    """What is known of the agent so far."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self._at = time.monotonic()
        self._why = ""

    @property
    def lost(self) -> Lost | None:
        """None while it answers."""
        return Lost(time.monotonic() - self._at, self._why) if self._why else None

    async def follow(self, agent: _Agent, every: float, changed: asyncio.Event) -> None:
        """Until cancelled. An agent that comes back is asked again."""
        while True:
            await asyncio.sleep(every)
            try:
                self.known, self._at, self._why = await agent.ask(), time.monotonic(), ""
            except OvsnetError as error:
                self._why = f"{error} {error.remedy}".strip()
            changed.set()


async def _watch(show: _Show, agent: _Agent, every: float) -> None:
    """Until the user quits."""
    changed = asyncio.Event()
    with anyio.CancelScope() as scope, _signals(scope.cancel, changed.set):
        watched = _Watched(await agent.ask())

        def typed(keys: bytes) -> None:
            if show.typed(keys):
                scope.cancel()
            changed.set()

        with show, keyboard(typed):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(watched.follow, agent, every, changed)
                while True:
                    show.draw(watched.known, watched.lost)
                    changed.clear()
                    with anyio.move_on_after(REDRAWN_EVERY):
                        await changed.wait()


@contextlib.contextmanager
def _signals(quit_: Callable[[], object], resized: Callable[[], object]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, quit_)
    loop.add_signal_handler(signal.SIGWINCH, resized)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGWINCH):
            loop.remove_signal_handler(number)

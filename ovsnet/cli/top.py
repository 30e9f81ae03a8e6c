"""``ovsnet top``: what the agent knows, as it changes."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import signal
import sys
import termios
import time
import tty
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol, Self

import anyio
import click
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.styled import Styled
from rich.table import Table
from rich.text import Text

from ovsnet.cli.agent_client import fetch_status
from ovsnet.cli.options import Number, with_settings
from ovsnet.cli.terminal import say
from ovsnet.config import Settings
from ovsnet.errors import OvsnetError

STYLES = {
    "ready": "green", "degraded": "yellow", "starting": "yellow", "not-ready": "red",
    "ok": "green", "slow": "yellow", "unknown": "yellow", "failed": "red", "skipped": "dim",
}  # fmt: skip


@click.command()
@click.option("--every", default=1.0, show_default=True, type=Number(0.1, 3600), metavar="SECONDS",
              help="Time between two refreshes.")  # fmt: skip
@click.option("--timeout", default=2.0, show_default=True, type=Number(0.02, 3600), metavar="SECONDS")
@click.option("--json", "as_json", is_flag=True, help="Print the agent's document once.")
@with_settings("listen")
def top(every: float, timeout: float, as_json: bool, settings: Settings) -> None:
    """Watch the diagnosis and every check of a running agent. q or Ctrl-C ends it.

    Where the output is not a terminal, it is shown once; a terminal that cannot move its cursor gets a line per
    diagnosis. Exit code 3 when no agent answers at first.
    """
    listen = settings.listen[0]
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # names may have letters that this locale has not
    found = asyncio.run(fetch_status(listen, timeout=timeout))
    if as_json:
        say(json.dumps(found, indent=2))
    elif not sys.stdout.isatty():
        Console().print(picture(found))
    else:
        show = _Lines() if Console().is_dumb_terminal else _Screen()
        asyncio.run(_watch(show, found, listen, every, timeout))


class _Show(Protocol):
    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def found(self, found: Mapping[str, Any]) -> None:
        """A new document."""

    def lost(self, error: OvsnetError, found: Mapping[str, Any], age: float) -> None:
        """No answer; ``found``, the last, is ``age`` seconds old."""


class _Lines:
    """A line for each new diagnosis, for a terminal that cannot move its cursor."""

    def __init__(self) -> None:
        self._last = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def found(self, found: Mapping[str, Any]) -> None:
        self._say(f"{found['diagnosis']['code']}: {found['diagnosis']['summary']}")

    def lost(self, error: OvsnetError, found: Mapping[str, Any], age: float) -> None:
        self._say(f"no answer: {error}")

    def _say(self, line: str) -> None:
        if line != self._last:
            self._last = line
            say(f"{time.strftime('%H:%M:%S')} {line}")


class _Screen:
    """The whole screen, redrawn; the last picture stays, dimmed, while the agent is away."""

    def __init__(self) -> None:
        self._live = Live(screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def found(self, found: Mapping[str, Any]) -> None:
        self._live.update(picture(found), refresh=True)

    def lost(self, error: OvsnetError, found: Mapping[str, Any], age: float) -> None:
        title = f"no answer; what is below is {age:.0f} s old"
        said = Panel(Text(f"{error} {error.remedy}"), title=title, title_align="left", border_style="red")
        self._live.update(Group(said, Styled(picture(found), "dim")), refresh=True)


async def _watch(show: _Show, found: Mapping[str, Any], listen: str, every: float, timeout: float) -> None:
    """Until the user quits. An agent that is away for a while comes back by itself."""
    ended, at = asyncio.Event(), time.monotonic()
    with _keys(ended), show:
        show.found(found)
        while not ended.is_set():
            with anyio.move_on_after(every):
                await ended.wait()
            try:
                found, at = await fetch_status(listen, timeout=timeout), time.monotonic()
                show.found(found)
            except OvsnetError as error:
                show.lost(error, found, time.monotonic() - at)


@contextlib.contextmanager
def _keys(ended: asyncio.Event) -> Iterator[None]:
    """``q``, Ctrl-C and SIGTERM set ``ended``; keys are read as they are pressed, and not shown."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    if not sys.stdin.isatty():
        yield
        return
    keyboard = sys.stdin.fileno()

    def pressed() -> None:
        keys = os.read(keyboard, 64)
        if not keys or b"q" in keys.lower():  # nothing is read from a terminal that hung up
            ended.set()

    before = termios.tcgetattr(keyboard)
    tty.setcbreak(keyboard)
    loop.add_reader(keyboard, pressed)
    try:
        yield
    finally:
        loop.remove_reader(keyboard)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)


def picture(found: Mapping[str, Any]) -> Group:
    """The whole of a status document that a person wants to see."""
    return Group(_diagnosis(found), _checks(found["checks"]), _timeline(found["timeline"]))


def _diagnosis(found: Mapping[str, Any]) -> Panel:
    diagnosis, style = found["diagnosis"], STYLES[found["state"]]
    lines = [Text(diagnosis["summary"])]
    if diagnosis["remedy"]:
        lines.append(Text(diagnosis["remedy"], style="bold"))
    lines += [Text(f"  {each}", style="dim") for each in diagnosis["evidence"]]
    also = f", also {', '.join(diagnosis['also'])}" if diagnosis["also"] else ""
    title = Text(f"{found['node']}: {diagnosis['code']}{also} since {_clock(diagnosis['since'])}")
    return Panel(Group(*lines), title=title, title_align="left", border_style=style)


FOLDED = ("ok", "skipped")


def _checks(checks: Sequence[Mapping[str, Any]]) -> RenderableType:
    """What is not well, then how much is, then that: so that the first is seen on any screen."""
    wrong = [each for each in checks if each["status"] not in FOLDED]
    well = [each for each in checks if each["status"] in FOLDED]
    count = sum(each["status"] == "ok" for each in well)
    return Group(*([_table(wrong)] if wrong else []), Text(f" {count} of {len(checks)} ok", style="dim"), _table(well))


def _table(checks: Sequence[Mapping[str, Any]]) -> Table:
    table = Table("check", "status", "what was found", box=None, padding=(0, 1), expand=True)
    table.add_column("answer", justify="right", no_wrap=True)
    table.add_column("age", justify="right", no_wrap=True)
    for each in checks:
        rtt = "" if each["rtt_seconds"] is None else f"{each['rtt_seconds'] * 1000:.2f} ms"
        status = Text(each["status"], style=STYLES[each["status"]])
        table.add_row(Text(each["name"]), status, Text(each["detail"]), rtt, f"{each['age_seconds']:.1f} s")
    return table


def _timeline(timeline: Sequence[Mapping[str, Any]]) -> Text:
    reached = [
        f"{each['stage']} {each['took_seconds']:.3f} s at {_clock(each['at'])}"
        for each in timeline
        if each["took_seconds"] is not None
    ]
    return Text(f"\n last start: {', '.join(reached) or 'not seen'}", style="dim")


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%H:%M:%S")

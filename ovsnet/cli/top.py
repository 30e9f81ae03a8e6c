"""``ovsnet top``: what the agent knows, as it changes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import click
from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from ovsnet.cli.agent_client import fetch_status
from ovsnet.cli.options import Number, with_settings
from ovsnet.config import Settings
from ovsnet.errors import OvsnetError

STYLES = {
    "ready": "green", "degraded": "yellow", "starting": "yellow", "not-ready": "red",
    "ok": "green", "slow": "yellow", "unknown": "yellow", "failed": "red", "skipped": "dim",
}  # fmt: skip


@click.command()
@click.option("--every", default=1.0, show_default=True, type=Number(0.1, 3600), metavar="SECONDS",
              help="Time between two looks.")  # fmt: skip
@click.option("--timeout", default=2.0, show_default=True, type=Number(0.02, 3600), metavar="SECONDS")
@click.option("--json", "as_json", is_flag=True, help="Print the agent's document once.")
@with_settings("listen")
def top(every: float, timeout: float, as_json: bool, settings: Settings) -> None:
    """Watch the diagnosis and every check of a running agent. Ctrl-C ends it.

    Where the output is no terminal, it is shown once. Exit code 3 when no agent answers at the first look.
    """
    listen = settings.listen[0]
    found = asyncio.run(fetch_status(listen, timeout=timeout))
    if as_json:
        click.echo(json.dumps(found, indent=2))
    elif sys.stdout.isatty():
        asyncio.run(_watch(found, listen, every, timeout))
    else:
        Console().print(picture(found))


async def _watch(found: Mapping[str, Any], listen: str, every: float, timeout: float) -> None:
    """An agent that is away for a while is told of, and comes back by itself."""
    with Live(picture(found), screen=True, auto_refresh=False) as live:
        while True:
            await anyio.sleep(every)
            try:
                live.update(picture(await fetch_status(listen, timeout=timeout)), refresh=True)
            except OvsnetError as error:
                live.update(Panel(f"{error} {error.remedy}", title="no answer", border_style="red"), refresh=True)


def picture(found: Mapping[str, Any]) -> Group:
    """The whole of a status document that a person wants to see."""
    return Group(_diagnosis(found), _checks(found["checks"]), _timeline(found["timeline"]))


def _diagnosis(found: Mapping[str, Any]) -> Panel:
    diagnosis, style = found["diagnosis"], STYLES[found["state"]]
    lines = [Text(diagnosis["summary"])]
    if diagnosis["remedy"]:
        lines.append(Text(f"→ {diagnosis['remedy']}"))
    lines += [Text(f"  {each}", style="dim") for each in diagnosis["evidence"]]
    also = f", also {', '.join(diagnosis['also'])}" if diagnosis["also"] else ""
    title = Text(f"{found['node']}: {diagnosis['code']}{also} since {_clock(diagnosis['since'])}")
    return Panel(Group(*lines), title=title, title_align="left", border_style=style)


def _checks(checks: Sequence[Mapping[str, Any]]) -> Table:
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

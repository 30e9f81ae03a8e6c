"""``ovsnet timeline``: how long each stage of the last start took, as the agent saw it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import click

from ovsnet.cli.agent_client import fetch_status
from ovsnet.cli.agent_document import AgentStatus, status_of
from ovsnet.cli.options import Duration, with_settings
from ovsnet.cli.terminal import block, marked, say, styled
from ovsnet.config import Settings
from ovsnet.health.timeline import STAGES

WIDTH = 50
"""Columns of the longest bar."""


@click.command()
@click.option("--timeout", default="2s", show_default=True, type=Duration(0.02),
              help="How long to wait for the agent.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the timeline as JSON, as in the agent's /status.")
@with_settings("listen")
def timeline(timeout: float, as_json: bool, settings: Settings) -> None:
    """Show how long each stage of the last start took. Needs a running agent.

    Exit code 0 when every stage was reached, 1 while the start is in progress, 3 when no agent answers.
    """
    found = asyncio.run(fetch_status(settings.listen[0], timeout=timeout))
    status = status_of(found)
    say(json.dumps(found["timeline"], indent=2) if as_json else "\n".join(_lines(status)))
    if len(status.timeline) < len(STAGES):
        raise click.exceptions.Exit(1)


def _lines(status: AgentStatus) -> Iterator[str]:
    """A bar from where the stage before it ended to where it ended itself."""
    reached = {each.stage: each for each in status.timeline}
    longest = max((each.took_seconds or 0.0 for each in reached.values()), default=0.0) or 1.0
    done = 0.0
    for stage in STAGES:
        if (each := reached.get(stage.name)) is None:
            yield f"{marked('starting', f'{stage.name:11}')} not reached: {status.diagnosis.summary}"
            continue
        if each.took_seconds is None:
            yield f"{marked('ok', f'{stage.name:11}')} reached before this agent started"
            continue
        start, end = min(done, each.took_seconds), each.took_seconds
        done = max(done, end)
        blank, columns = round(start / longest * WIDTH), max(round((end - start) / longest * WIDTH), 1)
        bar = f"{' ' * blank}{styled(block() * columns, fg='green')}{' ' * max(WIDTH - blank - columns, 0)}"
        at = datetime.fromtimestamp(each.at, UTC).astimezone().strftime("%H:%M:%S.%f")[:-3]
        yield f"{marked('ok', f'{stage.name:11}')} {bar} {end:8.3f} s  at {at}"

"""``ovsnet wait``: for scripts that order daemons."""

from __future__ import annotations

import asyncio
import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable

import anyio
import click

from ovsnet.agent.agent import Agent
from ovsnet.cli.options import Duration, with_settings
from ovsnet.cli.terminal import marked, say
from ovsnet.config import Group, Settings
from ovsnet.config.duration import written
from ovsnet.errors import OvsnetError
from ovsnet.health.causes import codes
from ovsnet.health.timeline import STAGES
from ovsnet.node.installation import find_rundir

READY = "ready"

BEFORE_OVN = ("switch", "openflow")
"""Stages that need the bridge, and that ovn-controller is made to wait for; yet ovn-controller itself creates the
bridge."""


@click.command()
@click.option(
    "--for",
    "goal",
    required=True,
    type=click.Choice([*(stage.name for stage in STAGES), READY]),
    help="Stage to wait for, or ready: until /readyz would succeed.",
)
@click.option("--timeout", default="60s", show_default=True, type=Duration(0),
              help="How long to wait for the stage.")  # fmt: skip
@click.option(
    "--create-bridge", is_flag=True, help="Create the bridge as ovn-controller would, if the database has none."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
@with_settings(Group.NODE, Group.TLS, Group.WATCHING)
def wait(goal: str, timeout: float, create_bridge: bool, as_json: bool, settings: Settings) -> None:
    """Block until a startup stage is reached.

    On a terminal, shows what it is waiting for as that changes. Exit code 0 when the stage is reached, or 1 with the
    reason on timeout, also when no daemon can be seen: one may start at any time. Exits early with 3 when this user may
    not open the sockets, and with 2 for a wrong setting.

    \b
    Examples:
      ovsnet wait --for openflow --timeout 20
      ovsnet wait --for ready && kubectl uncordon NODE
    """
    waiter = Waiter(settings, goal, create_bridge=create_bridge, report=_report if sys.stderr.isatty() else _ignore)
    log = logging.getLogger("ovsnet")
    log.disabled = True  # the reason is printed once, at the end
    began = time.monotonic()
    try:
        reached = asyncio.run(waiter.run(timeout))
    finally:
        log.disabled = False
    if as_json:
        seconds = round(time.monotonic() - began, 3)
        say(json.dumps({"stage": goal, "reached": reached, "seconds": seconds, **waiter.diagnosis()}))
    if not reached:
        say(f"ovsnet: {marked('failed', waiter.reason())}", err=True)
        raise click.exceptions.Exit(waiter.exit_code)


def _report(state: str, line: str) -> None:
    say(f"ovsnet: {marked(state, line)}", err=True)


def _ignore(state: str, line: str) -> None:
    """Nobody watches."""


LASTS = 3.0
"""Seconds for which something that does not pass by itself must last: a script may be about to give us the sockets."""


class Waiter:
    """An agent that is watched until ``goal`` is reached, or until it is clear that waiting is pointless."""

    def __init__(
        self, settings: Settings, goal: str, *, create_bridge: bool, report: Callable[[str, str], None] = _ignore
    ) -> None:
        self._report = report
        self._reported = ""
        self._agent = Agent(settings, find_rundir(settings.rundir, settings.ovn_rundir, os.environ))
        self._goal = goal
        self._timeout = math.inf
        self._may_create = create_bridge
        self._created = False
        self._in_vain = False
        self._lasting_since: float | None = None
        self.exit_code = 1
        self._refused: OvsnetError | None = None
        self._news = asyncio.Event()

    async def run(self, timeout: float) -> bool:
        """True when the goal was reached within ``timeout`` seconds. Raises why the bridge could not be made."""
        self._timeout = timeout
        self._agent.subscribe(lambda change: self._news.set())
        with anyio.move_on_after(timeout):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._agent.run)
                while not self._reached() and not self._in_vain:
                    with anyio.move_on_after(LASTS):
                        await self._news.wait()
                    self._news.clear()
                    self._say_what_is_missing()
                    await self._meet_first_start()
                    self._meet_what_lasts()
                tasks.cancel_scope.cancel()
        if self._refused is not None:
            raise self._refused
        return self._reached()

    def _say_what_is_missing(self) -> None:
        diagnosis = self._agent.health.diagnosis
        line = f"{diagnosis.code}: {diagnosis.summary}"
        if line != self._reported and not self._reached():
            self._reported = line
            self._report(diagnosis.state.label, line)

    def diagnosis(self) -> dict[str, str]:
        """As it is now."""
        diagnosis = self._agent.health.diagnosis
        return {"code": diagnosis.code, "summary": diagnosis.summary, "remedy": diagnosis.remedy}

    def reason(self) -> str:
        """Why the goal was not reached."""
        diagnosis = self._agent.health.diagnosis
        if self._in_vain and self.exit_code == 1:
            bridges = ", ".join(self._agent.settings.bridge)
            why = f"the database holds no bridge {bridges}"
            return f"{why}: start ovn-controller, which creates it, or use --create-bridge."
        return f"{self._missed()}. {diagnosis.code}: {diagnosis.summary} {diagnosis.remedy}"

    def _missed(self) -> str:
        what = "the node did not become ready" if self._goal == READY else f"the stage {self._goal} was not reached"
        return (
            f"{what}, and waiting longer would not help" if self._in_vain else f"{what} within {written(self._timeout)}"
        )

    def _reached(self) -> bool:
        health = self._agent.health
        if self._goal == READY:
            return health.ready
        return any(reached.stage == self._goal for reached in health.timeline.reached())

    async def _meet_first_start(self) -> None:
        """A node's very first start has no bridge yet. Gating ovn-controller on it would deadlock."""
        found = self._agent.health.results.get("ovsdb.bridge")
        if self._goal not in BEFORE_OVN or found is None or found.reason != "bridge-missing":
            return
        self._in_vain = not self._may_create
        if self._may_create and not self._created:
            self._created = True
            await self._create_bridges()

    def _meet_what_lasts(self) -> None:
        """Give up on what does not pass by itself, such as a missing permission."""
        now, cause = self._agent.clock(), codes().get(self._agent.health.diagnosis.code)
        if cause is None or not cause.lasting:
            self._lasting_since = None
            return
        self._lasting_since = self._lasting_since or now
        if now - self._lasting_since >= LASTS:
            self._in_vain, self.exit_code = True, cause.exit_code

    async def _create_bridges(self) -> None:
        node = self._agent.node
        datapath_type = node.external_ids.get("ovn-bridge-datapath-type", "system")
        try:
            for bridge in node.settings.bridge:
                await node.ovsdb.held().create_bridge(bridge, datapath_type, timeout=node.settings.timeout)
        except OvsnetError as error:
            self._refused = error
            self._in_vain = True

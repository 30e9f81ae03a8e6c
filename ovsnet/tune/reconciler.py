"""The agent's part: look at the knobs now and then, tell the drift, and, where that is wanted, mend it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from ovsnet.config import Settings
from ovsnet.errors import ConfigError, OvsnetError
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir
from ovsnet.tune.apply import apply
from ovsnet.tune.drift import GIVE_UP_AFTER, Keeper
from ovsnet.tune.plan import Change, Plan, plan
from ovsnet.tune.sessions import opened, read_facts
from ovsnet.tune.wanted import Wanted, wanted

log = logging.getLogger("ovsnet")

TICK = 0.5
"""Seconds between two questions whether the node is ready."""

DATABASE = "Open_vSwitch"
"""An agent keeps its own node's knobs alone: many agents that write one northbound would only meet in it."""


class Keeping:
    """Run it beside the checks; read ``keeper``. Raises ConfigError for a file or a profile that cannot be used."""

    def __init__(self, settings: Settings, rundir: Rundir, clock: Callable[[], float]) -> None:
        self.keeper = Keeper(settings.tune_mode, settings.tune_interval)
        self._settings = settings
        self._rundir = rundir
        self._clock = clock
        self._wanted = wishes(settings)

    async def run(self, ready: Callable[[], bool]) -> None:
        """Until cancelled. ``ready`` tells whether the node is."""
        while True:
            if self.keeper.wants_look(self._clock(), ready=ready()):
                await self._look()
            await asyncio.sleep(TICK)

    def document(self) -> dict[str, object]:
        """What ``/status`` tells."""
        keeper = self.keeper
        return {
            "mode": keeper.mode,
            "drift": list(keeper.drift),
            "writes": keeper.writes,
            "given_up": keeper.given_up,
            "trouble": keeper.trouble,
        }

    async def _look(self) -> None:
        address = Address.parse(self._settings.database) if self._settings.database else self._rundir.database
        timeout, tls = self._settings.timeout, self._settings.tls
        try:
            async with opened({DATABASE: (address,)}, timeout=timeout, tls=tls) as sessions:
                found = plan(await read_facts(sessions, self._rundir, timeout=timeout), self._wanted)
                if self._judged(found):
                    await apply(found, sessions, timeout=timeout)
                    self.keeper.wrote(self._clock())
                    log.warning("tune: restored %s", "; ".join(map(_line, found.changes)))
        except OvsnetError as error:
            self.keeper.failed(self._clock(), str(error))
            log.warning("tune: %s %s", error, error.remedy)

    def _judged(self, found: Plan) -> bool:
        """Log what is new; true when it is to be written."""
        keeper = self.keeper
        before, gave_up = keeper.drift, keeper.given_up
        writes = keeper.looked(self._clock(), [_line(change) for change in found.changes])
        if keeper.drift and keeper.drift != before and not writes:
            log.warning("tune: not as wanted: %s", "; ".join(keeper.drift))
        if keeper.given_up and not gave_up:
            log.error(
                "tune: gave up after %d writes: somebody else keeps changing %s. Find out who, or no longer want it.",
                GIVE_UP_AFTER,
                "; ".join(keeper.drift),
            )
        return writes


def wishes(settings: Settings) -> list[Wanted]:
    """What the settings want. Raises ConfigError."""
    text = ""
    if settings.tune_file:
        try:
            text = Path(settings.tune_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"tune_file {settings.tune_file} cannot be read: {error}.") from error
    found = wanted(profile=settings.tune_profile, toml=text, toml_name=settings.tune_file)
    if not found:
        raise ConfigError(
            f"tune_mode is {settings.tune_mode}, and nothing is wanted.", remedy="Set tune_profile or tune_file."
        )
    return found


def _line(change: Change) -> str:
    before = "not set" if change.before is None else change.before
    return f"{change.place} is {before}, wanted {'not set' if change.after is None else change.after}"

"""The agent's part: read the knobs now and then, report the drift, and, where that is wanted, correct it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from ovsnet.config import Settings
from ovsnet.errors import ConfigError, OvsnetError
from ovsnet.files import MOST_DOCUMENT, read_text
from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir
from ovsnet.tune.apply import apply
from ovsnet.tune.drift import GIVE_UP_AFTER, DriftControl
from ovsnet.tune.plan import Edit, Plan, plan
from ovsnet.tune.sessions import opened, read_facts
from ovsnet.tune.wanted import Wanted, wanted

log = logging.getLogger("ovsnet")

TICK = 0.5
"""Seconds between two questions whether the node is ready."""

DATABASE = "Open_vSwitch"
"""An agent writes its own node's knobs alone: many agents that write one northbound would only meet in it."""


class Reconciler:
    """Run it beside the checks; read ``control``. Raises ConfigError for a file or a profile that cannot be used."""

    def __init__(self, settings: Settings, rundir: Rundir, clock: Callable[[], float]) -> None:
        self.control = DriftControl(settings.tune_mode, settings.tune_interval)
        self._settings = settings
        self._rundir = rundir
        self._clock = clock
        self._wanted = wishes(settings)

    async def run(self, ready: Callable[[], bool]) -> None:
        """Until cancelled. ``ready`` says whether the node is."""
        while True:
            if self.control.due(self._clock(), ready=ready()):
                await self._reconcile()
            await asyncio.sleep(TICK)

    def document(self) -> dict[str, object]:
        """What ``/status`` shows."""
        control = self.control
        return {
            "mode": control.mode,
            "drift": list(control.drift),
            "writes": control.writes,
            "given_up": control.given_up,
            "trouble": control.trouble,
        }

    async def _reconcile(self) -> None:
        address = Address.parse(self._settings.database) if self._settings.database else self._rundir.database
        timeout, tls = self._settings.timeout, self._settings.tls
        try:
            async with opened({DATABASE: (address,)}, timeout=timeout, tls=tls) as sessions:
                found = plan(await read_facts(sessions, self._rundir, timeout=timeout), self._wanted)
                if self._judged(found):
                    await apply(found, sessions, timeout=timeout)
                    self.control.wrote(self._clock())
                    log.warning("tune: restored %s", "; ".join(map(_line, found.edits)))
        except OvsnetError as error:
            self.control.failed(self._clock(), str(error))
            log.warning("tune: %s %s", error, error.remedy)

    def _judged(self, found: Plan) -> bool:
        """Log what is new; true when it is to be written."""
        control = self.control
        before, gave_up = control.drift, control.given_up
        writes = control.found(self._clock(), [_line(edit) for edit in found.edits])
        if control.drift and control.drift != before and not writes:
            log.warning("tune: not as wanted: %s", "; ".join(control.drift))
        if control.given_up and not gave_up:
            log.error(
                "tune: gave up after %d writes: someone else keeps changing %s. "
                "Find out who, or drop it from the wanted knobs.",
                GIVE_UP_AFTER,
                "; ".join(control.drift),
            )
        return writes


def wishes(settings: Settings) -> list[Wanted]:
    """What the settings want. Raises ConfigError."""
    text = ""
    if settings.tune_file:
        try:
            text = read_text(settings.tune_file, MOST_DOCUMENT, errors="strict")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"tune_file {settings.tune_file} cannot be read: {error}.") from error
    found = wanted(profile=settings.tune_profile, toml=text, toml_name=settings.tune_file)
    if not found:
        raise ConfigError(
            f"tune_mode is {settings.tune_mode}, and nothing is wanted.", remedy="Set tune_profile or tune_file."
        )
    return found


def _line(edit: Edit) -> str:
    before = "not set" if edit.before is None else edit.before
    return f"{edit.place} is {before}, wanted {'not set' if edit.after is None else edit.after}"

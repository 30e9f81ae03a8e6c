"""The faults of a soak: those of the catalogue that come in pairs, and freezes that are too short to be called hung."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import replace

from tests.faults.catalogue import FAULTS as CATALOGUE
from tests.faults.daemons import COMPONENTS
from tests.faults.fault import Fault, Scene

HUNG_AFTER = 1.0
"""Seconds: the agent's setting in a soak."""

SHORT = 0.6 * HUNG_AFTER
"""Seconds of a freeze that must never be called hung: as 2 s beside the default of 3."""

HELD_UP = "held-up"
"""What a scene remembers of a short freeze that a loaded machine made a long one."""


def _brief(daemon: str, component: str) -> Fault:
    @contextlib.asynccontextmanager
    async def freeze_briefly(scene: Scene) -> AsyncIterator[None]:
        began = time.monotonic()
        await scene.node.freeze(daemon)
        await asyncio.sleep(SHORT)
        await scene.node.thaw(daemon)
        if time.monotonic() - began >= HUNG_AFTER:
            scene.remembered[HELD_UP] = 1
        yield

    return replace(
        CATALOGUE[f"{component}-frozen"],
        name=f"{component}-frozen-briefly",
        codes=frozenset({"healthy"}),
        happens=freeze_briefly,
    )


FAULTS: tuple[Fault, ...] = (
    *(each for each in CATALOGUE.values() if each.breaks),
    *(_brief(daemon, component) for daemon, component in COMPONENTS.items()),
)

"""Every knob. Adding one is one declaration in one of the files here; lint, plan, docs and tests follow from it."""

from __future__ import annotations

from ovsnet.errors import ConfigError
from ovsnet.texts import likely
from ovsnet.tune.catalogue import databases, ovn_controller, vswitchd
from ovsnet.tune.knob import Knob

KNOBS: dict[str, Knob] = {knob.name: knob for knob in (*ovn_controller.KNOBS, *vswitchd.KNOBS, *databases.KNOBS)}
"""By name, which is the key in the database where that is unique."""


def knob_named(name: str) -> Knob:
    """Raises ConfigError, which says what the name may be."""
    if name not in KNOBS:
        settable = (each.name for each in KNOBS.values() if each.place is not None)
        raise ConfigError(
            f"There is no knob {name!r}.",
            remedy=likely(name, settable, "The knobs", "by `ovsnet tune lint --all`, and in docs/knobs.md"),
        )
    return KNOBS[name]

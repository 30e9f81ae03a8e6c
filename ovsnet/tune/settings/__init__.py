"""Keys that are known and are no knobs. Adding one is one declaration in one of the files here; lint follows. Pure."""

from __future__ import annotations

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.knob import Place
from ovsnet.tune.settings import databases, ovn_controller, vswitchd
from ovsnet.tune.settings.setting import Setting

SETTINGS: tuple[Setting, ...] = (*ovn_controller.SETTINGS, *vswitchd.SETTINGS, *databases.SETTINGS)

PLACES: frozenset[Place] = frozenset(
    [setting.place for setting in SETTINGS] + [knob.place for knob in KNOBS.values() if knob.place is not None]
)
"""Of all that is known, knobs too."""

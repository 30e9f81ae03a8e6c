"""Keys that are known and are not knobs. Adding one is one declaration in one of the files here; lint follows. Pure."""

from __future__ import annotations

from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.keys import databases, ovn_controller, vswitchd
from ovsnet.tune.keys.key import Key
from ovsnet.tune.knob import Place

KEYS: tuple[Key, ...] = (*ovn_controller.KEYS, *vswitchd.KEYS, *databases.KEYS)

PLACES: frozenset[Place] = frozenset(
    [key.place for key in KEYS] + [knob.place for knob in KNOBS.values() if knob.place is not None]
)
"""Of all that is known, knobs too."""

"""What a restart may differ in, as data: the order of things, a setting, what else is away meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Literal

import msgspec

from ovsnet.errors import UsageError

DaemonName = Literal["ovs-vswitchd", "ovsdb-server", "ovn-controller", "southbound"]
"""What is restarted; of a clustered southbound, its leader."""

SWITCH: DaemonName = "ovs-vswitchd"
CONTROLLER: DaemonName = "ovn-controller"


class Counts(Enum):
    """What a variant's number is."""

    NOTHING = auto()
    SECONDS_AHEAD = auto()
    """For how many seconds the start of ovn-controller, or its wait, comes before that of the switch."""
    RESTARTS_BEFORE = auto()
    """How many restarts go before the one that is measured."""
    SECONDS_OF_SOUTHBOUND = auto()
    """For how many seconds after the start the southbound is still away."""
    MILLISECONDS_OF_WAIT = auto()
    """How long ovn-controller itself waits after the start."""


class Declaration(msgspec.Struct, frozen=True):
    """One way to restart.

    ``number`` is the default of what it takes, and ``counts`` what that is; ``settings`` are external_ids that are set
    before, in which ``{}`` stands for the number. ``only`` is the daemon that it is about.
    """

    help: str
    number: float | None = None
    counts: Counts = Counts.NOTHING
    settings: Mapping[str, str] = msgspec.field(default_factory=dict)
    only: DaemonName | None = None
    whole: bool = False
    largest: float = 60.0
    restarts_controller: bool = False
    """Whether ovn-controller is stopped and started with the switch."""
    waits_for_openflow: bool = False
    """Whether ``ovsnet wait`` runs before ovn-controller starts."""
    exits_by_itself: bool = False
    """Whether the daemon is asked to exit, and not stopped by a signal."""


VARIANTS = {
    "plain": Declaration("Stop the daemon and start it again, nothing else."),
    "together": Declaration("Stop ovn-controller too, and start both at once.", only=SWITCH, restarts_controller=True),
    "ahead": Declaration(
        "As together, but ovn-controller starts NUMBER seconds before the switch.",
        number=2,
        counts=Counts.SECONDS_AHEAD,
        only=SWITCH,
        restarts_controller=True,
    ),
    "waited": Declaration(
        "As ahead, but start `ovsnet wait --for openflow` then, and ovn-controller when it returns.",
        number=0,
        counts=Counts.SECONDS_AHEAD,
        only=SWITCH,
        restarts_controller=True,
        waits_for_openflow=True,
    ),
    "carried-over": Declaration(
        "Preceded by NUMBER restarts, each as soon as the flows are back, so that ovn-controller still has their "
        "backoff.",
        number=3,
        counts=Counts.RESTARTS_BEFORE,
        only=SWITCH,
        whole=True,
        largest=10,
    ),
    "released": Declaration(
        "Stop it with `ovn-appctl exit`, which releases its ports, so that the start must claim them again.",
        only=CONTROLLER,
        exits_by_itself=True,
    ),
    "monitor-all": Declaration("With external_ids:ovn-monitor-all=true.", settings={"ovn-monitor-all": "true"}),
    "wait-before-clear": Declaration(
        "With external_ids:ovn-ofctrl-wait-before-clear=NUMBER milliseconds.",
        number=8000,
        counts=Counts.MILLISECONDS_OF_WAIT,
        settings={"ovn-ofctrl-wait-before-clear": "{}"},
        largest=60000,
    ),
    "southbound-down": Declaration(
        "The southbound database is down from before the stop until NUMBER seconds after the start.",
        number=5,
        counts=Counts.SECONDS_OF_SOUTHBOUND,
    ),
}
"""By name. To add one is to add a line here."""


class Variant(msgspec.Struct, frozen=True):
    """One of them with its number, as a person wrote it: ``carried-over:2``."""

    name: str
    number: float | None = None

    @property
    def declaration(self) -> Declaration:
        return VARIANTS[self.name]

    @property
    def settings(self) -> dict[str, str]:
        """The external_ids that it sets."""
        return {key: value.format(f"{self.number or 0:g}") for key, value in self.declaration.settings.items()}

    @property
    def ahead(self) -> float:
        """Seconds from the start of ovn-controller, or of its wait, to that of the switch."""
        return self._number_of(Counts.SECONDS_AHEAD) or 0.0

    @property
    def before(self) -> int:
        """How many restarts go before the one that is measured."""
        return int(self._number_of(Counts.RESTARTS_BEFORE) or 0)

    @property
    def southbound_away(self) -> float | None:
        """Seconds after the start for which the southbound is still away; None when it stays."""
        return self._number_of(Counts.SECONDS_OF_SOUTHBOUND)

    @property
    def lingers(self) -> float:
        """Seconds after the start before which it cannot be over, although everything may look well."""
        return (self._number_of(Counts.MILLISECONDS_OF_WAIT) or 0.0) / 1000 + (self.southbound_away or 0.0)

    def _number_of(self, counts: Counts) -> float | None:
        return self.number if self.declaration.counts is counts else None

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number:g}"

    @classmethod
    def parse(cls, text: str) -> Variant:
        """``NAME`` or ``NAME:NUMBER``. Raises UsageError."""
        name, colon, number = text.partition(":")
        if (declared := VARIANTS.get(name)) is None:
            raise UsageError(f"There is no variant {name!r}.", remedy=f"Use one of {', '.join(VARIANTS)}.")
        if not colon:
            return cls(name, declared.number)
        if declared.number is None:
            raise UsageError(f"The variant {name} takes no number.", remedy=f"Write {name}.")
        return cls(name, _number(text, number, declared))


def _number(text: str, number: str, declared: Declaration) -> float:
    try:
        parsed = float(number)
    except ValueError:
        parsed = -1.0
    if not 0 <= parsed <= declared.largest or (declared.whole and parsed % 1):
        kind = "an integer" if declared.whole else "a number"
        raise UsageError(f"{text!r} is not a variant: its number must be {kind} from 0 to {declared.largest:g}.")
    return parsed


def require_possible(variant: Variant, target: DaemonName, *, raft: bool) -> None:
    """Raise UsageError when this daemon cannot be restarted in this way."""
    only = variant.declaration.only
    if only not in (None, target):
        raise UsageError(f"The variant {variant} applies to {only}, not to {target}.", remedy=f"Use --daemon {only}.")
    if variant.southbound_away is None:
        return
    if target == "southbound":
        raise UsageError("southbound-down and --daemon southbound both stop the southbound.", remedy="Use --down.")
    if raft:
        raise UsageError("southbound-down needs a standalone southbound.", remedy="Omit --raft.")


PLAIN = Variant("plain")

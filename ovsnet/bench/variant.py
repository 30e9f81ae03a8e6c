"""What a restart may differ in, as data: the order of things, a setting, what else is away meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ovsnet.errors import UsageError

Target = Literal["ovs-vswitchd", "ovsdb-server", "ovn-controller", "southbound"]
"""What is restarted; of a clustered southbound, its leader."""

SWITCH: Target = "ovs-vswitchd"
CONTROLLER: Target = "ovn-controller"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One way to restart. ``number`` is what it takes, and its default; ``settings`` are external_ids that are set
    before, in which ``{}`` stands for the number."""

    help: str
    number: float | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    only: Target | None = None
    whole: bool = False
    largest: float = 60.0


VARIANTS = {
    "plain": Declaration("The daemon is stopped and started, nothing else."),
    "together": Declaration("ovn-controller is stopped too, and both are started at once.", only=SWITCH),
    "ahead": Declaration(
        "As together, but ovn-controller starts NUMBER seconds before the switch.", number=2, only=SWITCH
    ),
    "waited": Declaration(
        "As ahead, but what starts then is `ovsnet wait --for openflow`, and ovn-controller when that returns.",
        number=0,
        only=SWITCH,
    ),
    "carried-over": Declaration(
        "NUMBER restarts go right before, each as soon as the flows are back, so that ovn-controller still has their "
        "backoff.",
        number=3,
        only=SWITCH,
        whole=True,
        largest=10,
    ),
    "released": Declaration(
        "It is stopped by `ovn-appctl exit`, which gives its ports back: the start must claim them anew.",
        only=CONTROLLER,
    ),
    "monitor-all": Declaration("With external_ids:ovn-monitor-all=true.", settings={"ovn-monitor-all": "true"}),
    "wait-before-clear": Declaration(
        "With external_ids:ovn-ofctrl-wait-before-clear=NUMBER milliseconds.",
        number=8000,
        settings={"ovn-ofctrl-wait-before-clear": "{}"},
        largest=60000,
    ),
    "southbound-down": Declaration(
        "The southbound database is away from before the stop until NUMBER seconds after the start.", number=5
    ),
}
"""By name. To add one that only sets something is to add a line here."""


@dataclass(frozen=True, slots=True)
class Variant:
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
    def restarts_controller(self) -> bool:
        """Whether ovn-controller is stopped and started with the switch."""
        return self.name in ("together", "ahead", "waited")

    @property
    def ahead(self) -> float:
        """For how many seconds the start of ovn-controller, or its wait, comes before that of the switch."""
        return (self.number or 0.0) if self.name in ("ahead", "waited") else 0.0

    @property
    def before(self) -> int:
        """How many restarts go before the one that is measured."""
        return int(self.number or 0) if self.name == "carried-over" else 0

    @property
    def southbound_away(self) -> float | None:
        """Seconds after the start for which the southbound is still away; None when it stays."""
        return self.number if self.name == "southbound-down" else None

    @property
    def lingers(self) -> float:
        """Seconds after the start before which it cannot be over, although everything may look well."""
        cleared = (self.number or 0) / 1000 if self.name == "wait-before-clear" else 0.0
        return cleared + (self.southbound_away or 0.0)

    def __str__(self) -> str:
        return self.name if self.number is None else f"{self.name}:{self.number:g}"

    @classmethod
    def parse(cls, text: str) -> Variant:
        """``NAME`` or ``NAME:NUMBER``. Raises UsageError."""
        name, colon, number = text.partition(":")
        if (declared := VARIANTS.get(name)) is None:
            raise UsageError(f"There is no variant {name!r}.", remedy=f"Name one of {', '.join(VARIANTS)}.")
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
        kind = "a whole one" if declared.whole else "one"
        raise UsageError(f"{text!r} is no variant: its number is {kind} from 0 to {declared.largest:g}.")
    return parsed


def require_possible(variant: Variant, target: Target, *, raft: bool) -> None:
    """Raise UsageError when this daemon cannot be restarted in this way."""
    only = variant.declaration.only
    if only not in (None, target):
        raise UsageError(f"The variant {variant} is about {only}, not {target}.", remedy=f"Use --daemon {only}.")
    if variant.southbound_away is None:
        return
    if target == "southbound":
        raise UsageError("southbound-down beside --daemon southbound says the same twice.", remedy="Use --down.")
    if raft:
        raise UsageError("southbound-down takes away a standalone southbound.", remedy="Leave --raft out.")

"""What lint says of a value, and what a daemon reads in it. Pure."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from ovsnet.ovsdb.smap import smap_bool
from ovsnet.texts import LONGEST_NUMBER
from ovsnet.tune.facts import KnobValue
from ovsnet.tune.knob import Knob


class Kind(StrEnum):
    """What lint says of a value. All but EFFECTIVE and UNSURE are faults."""

    DANGEROUS = "dangerous"
    DEAD = "dead"
    NO_CONSUMER = "no-consumer"
    MISPLACED = "misplaced"
    MISSPELT = "misspelt"
    NOT_A_VALUE = "not-a-value"
    WRONG_UNIT = "wrong-unit"
    BELOW_FLOOR = "below-floor"
    OUT_OF_RANGE = "out-of-range"
    UNSAFE_ZERO = "unsafe-zero"
    CONTRADICTION = "contradiction"
    MISSING = "missing"
    SHADOWED = "shadowed"
    NEEDLESS = "needless"
    UNSURE = "unsure"
    EFFECTIVE = "effective"

    @property
    def is_fault(self) -> bool:
        """Whether something is to be changed."""
        return self not in (Kind.EFFECTIVE, Kind.UNSURE)


class LintResult(msgspec.Struct, frozen=True):
    """``says`` is what is set, ``does`` what the daemon does with it, ``instead`` what to set (``knob=value``)
    or do. ``harmless``: the node works as it was meant to, whatever is done about it."""

    kind: Kind
    knob: str
    place: str
    value: str
    says: str
    does: str
    instead: str = ""
    harmless: bool = False

    @property
    def is_harmful(self) -> bool:
        """Whether the node does not do what was meant, or will not."""
        return self.kind.is_fault and not self.harmless


_NUMBER = re.compile("[ \t\n\v\f\r]*[+-]?[0-9]+")


def read(knob: Knob, text: str) -> int | None:
    """The number a daemon reads (lib/smap.c, ``smap_get_int`` and its like; ``smap_get_bool``), or None: it then takes
    its default. strtoll() skips blanks before a number, and none after it."""
    if knob.is_flag:
        return int(smap_bool({knob.name: text}, knob.name, knob.flag_default))
    if not _NUMBER.fullmatch(text) or len(text) > LONGEST_NUMBER:
        return None
    low, high = knob.width.value
    return value if low <= (value := int(text)) <= high else None


def effect(knob: Knob, text: str | None) -> int | None:
    """What counts for the daemon, in the knob's unit; None when nobody can say."""
    value = None if text is None else read(knob, text)
    return knob.unset if value is None else knob.takes(value)


def number(held: KnobValue) -> int | None:
    """The number that is set; None for a flag, and for what is none."""
    return None if held.knob.is_flag or held.text is None else read(held.knob, held.text)


def says(held: KnobValue) -> str:
    """What is set, as a sentence."""
    knob, text = held.knob, held.text
    if text is None:
        return f"{held.place} is not set ({knob.default})."
    value = None if knob.is_flag else read(knob, text)
    return f"{held.place} is {(text or 'empty') if value is None else knob.with_unit(value)}."


def result(kind: Kind, held: KnobValue, does: str, instead: str = "", *, harmless: bool = False) -> LintResult:
    """Of a knob that is set."""
    return LintResult(kind, held.knob.name, held.place, held.text or "", says(held), does, instead, harmless)

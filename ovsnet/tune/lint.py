"""Judge what is set: what does the daemon that runs really do with it, and what to set instead? Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ovsnet.node.chassis import lacking
from ovsnet.node.version import shown
from ovsnet.ovsdb.smap import smap_bool
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, KnobValue
from ovsnet.tune.knob import Knob, Product, Unit
from ovsnet.tune.rules import RULES


class Kind(StrEnum):
    """What lint says of a value. All but EFFECTIVE and UNSURE are faults."""

    DEAD = "dead"
    NO_CONSUMER = "no-consumer"
    NOT_A_VALUE = "not-a-value"
    WRONG_UNIT = "wrong-unit"
    BELOW_FLOOR = "below-floor"
    UNSAFE_ZERO = "unsafe-zero"
    CONTRADICTION = "contradiction"
    MISSING = "missing"
    UNSURE = "unsure"
    EFFECTIVE = "effective"

    @property
    def is_fault(self) -> bool:
        """Whether something is to be changed."""
        return self not in (Kind.EFFECTIVE, Kind.UNSURE)


@dataclass(frozen=True, slots=True)
class LintResult:
    """``says`` is what is set, ``does`` what the daemon does with it, ``instead`` what to set (``knob=value``)
    or do."""

    kind: Kind
    knob: str
    place: str
    value: str
    says: str
    does: str
    instead: str = ""


def lint(facts: Facts) -> list[LintResult]:
    """What it says of every knob that is set, and of those that do not fit one another; the faults first."""
    found = [_judge(facts, held) for held in facts.values_set()]
    found += contradictions(facts)
    found += chassis(facts)
    return sorted(found, key=lambda result: list(Kind).index(result.kind))


def read(knob: Knob, text: str) -> int | None:
    """The number a daemon reads (lib/smap.c, ``smap_get_int`` and ``smap_get_bool``), or None: it then takes its
    default."""
    if knob.is_flag:
        return int(smap_bool({knob.name: text}, knob.name, knob.flag_default))
    return int(text) if _NUMBER.fullmatch(text) else None


_NUMBER = re.compile("[+-]?[0-9]+")


def effect(knob: Knob, text: str | None) -> int | None:
    """What counts for the daemon, in the knob's unit; None when nobody can say."""
    value = None if text is None else read(knob, text)
    return knob.unset if value is None else knob.takes(value)


def contradictions(facts: Facts) -> Iterator[LintResult]:
    """Knobs that act, and do not fit one another."""
    for rule in RULES:
        for conflict in rule(facts, effect):
            held = conflict.held
            yield LintResult(
                Kind.CONTRADICTION,
                held.knob.name,
                held.place,
                held.text or "",
                _says(held),
                conflict.does,
                conflict.instead,
            )


CHASSIS_EXAMPLES = {"system-id": "NAME", "ovn-encap-type": "geneve", "ovn-encap-ip": "ADDRESS"}


def chassis(facts: Facts) -> Iterator[LintResult]:
    """What a node that has a southbound to connect to lacks to register there. Nothing else of OVN acts without it."""
    for key in lacking(facts.external_ids) if facts.remote else ():
        place = f"Open_vSwitch.external_ids:{key}"
        unless = ", unless /etc/ovn/system-id-override or its flag -n names it" if key == "system-id" else ""
        yield LintResult(
            Kind.MISSING,
            key,
            place,
            "",
            f"{place} is empty or not set.",
            f"ovn-controller registers no chassis and installs no flows{unless}.",
            f"{key}={CHASSIS_EXAMPLES[key]}",
        )


def _judge(facts: Facts, held: KnobValue) -> LintResult:
    for judge in (_unread, _unreadable, _in_another_unit, _rounded, _unsafe_zero):
        if (found := judge(facts, held)) is not None:
            return found
    return _effective(facts, held)


def _result(kind: Kind, held: KnobValue, does: str, instead: str = "") -> LintResult:
    assert held.text is not None
    return LintResult(kind, held.knob.name, held.place, held.text, _says(held), does, instead)


def _says(held: KnobValue) -> str:
    knob, text = held.knob, held.text
    if text is None:
        return f"{held.place} is not set ({knob.default})."
    value = None if knob.is_flag else read(knob, text)
    return f"{held.place} is {text if value is None else knob.with_unit(value)}."


def _unread(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    acts = facts.acts(knob)
    if acts is not False:
        return None
    instead = _replacement(facts, held)
    if not knob.consumed:
        return _result(Kind.NO_CONSUMER, held, "Nothing in OVN or Open vSwitch reads it.", instead)
    if knob.name in facts.overridden:
        return _result(Kind.DEAD, held, facts.overridden[knob.name], "remove it")
    version = facts.versions[knob.reader]
    if knob.until is not None and version >= knob.until:
        does = f"{knob.reader} {shown(version)} ignores it: {knob.product} {shown(knob.until)} dropped it."
    else:
        assert knob.since is not None
        does = f"{knob.reader} {shown(version)} does not know it: it came with {knob.product} {shown(knob.since)}."
    return _result(Kind.DEAD, held, does, instead)


def _replacement(facts: Facts, held: KnobValue) -> str:
    """What to set instead here, and, where nothing acts here yet, from which version on there is something."""
    knob = held.knob
    value = read(knob, held.text or "")
    if not value or not knob.replaced_by:
        return "remove it"
    wanted = [(KNOBS[name], number) for name, number in knob.replacements(value)]
    now = " and ".join(f"{each.name}={number}" for each, number in wanted if facts.acts(each) is not False)
    first = wanted[0]
    if facts.acts(first[0]) is False and first[0].since is not None:
        return f"remove it; from {first[0].product} {shown(first[0].since)} on, {first[0].name}={first[1]}"
    return f"{now}; remove it"


def _unreadable(facts: Facts, held: KnobValue) -> LintResult | None:
    knob, text = held.knob, held.text
    assert text is not None
    if knob.is_flag:
        if text.lower() in ("true", "false"):
            return None
        meant = "true" if read(knob, text) else "false"
        return _result(Kind.NOT_A_VALUE, held, f"{knob.reader} takes it for {meant}.", f"{knob.name}=true or false")
    value = read(knob, text)
    if value is not None and value >= 0:
        return None
    return _result(
        Kind.NOT_A_VALUE,
        held,
        f"{knob.reader} cannot read it and uses its default: {knob.default}.",
        f"{knob.name}=N, a whole number",
    )


def _in_another_unit(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if (value := _number(held)) is None or knob.typical is None:
        return None
    low, high = knob.typical
    if knob.unit is Unit.MILLISECONDS and value < low and SECONDS[0] <= value <= SECONDS[1]:
        return _result(
            Kind.WRONG_UNIT,
            held,
            f"This looks like seconds, and the unit is milliseconds: {knob.outcome(value)}",
            f"{knob.name}={value * 1000}",
        )
    if knob.unit is Unit.SECONDS and value > high:
        return _result(
            Kind.WRONG_UNIT,
            held,
            f"This looks like milliseconds, and the unit is seconds: {knob.outcome(value)}",
            f"{knob.name}={max(value // 1000, 1)}",
        )
    return None


SECONDS = (5, 600)
"""A number from here to there, in a place for milliseconds, is what people write for seconds."""


def _rounded(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if (value := _number(held)) is None or knob.takes(value) == value or value == 0:
        return None
    return _result(Kind.BELOW_FLOOR, held, knob.outcome(value), f"{knob.name}={knob.takes(value) or knob.bounds[0]}")


def _unsafe_zero(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if _number(held) != 0 or knob.zero_is_safe or not _can_be_cut_off(facts, held):
        return None
    return _result(Kind.UNSAFE_ZERO, held, knob.zero, f"{knob.name}={knob.unset or knob.bounds[0]}")


def _can_be_cut_off(facts: Facts, held: KnobValue) -> bool:
    """A unix socket closes when its other end is gone; across a network nothing may say so."""
    if held.knob.reader == "ovn-controller":
        return facts.remote_is_distant
    return not held.row.on_unix_socket


def _effective(facts: Facts, held: KnobValue) -> LintResult:
    knob, text = held.knob, held.text
    assert text is not None
    if facts.acts(knob) is None:
        return _result(
            Kind.UNSURE,
            held,
            f"Whether it takes effect depends on the version of {knob.reader}, which is unknown ({knob.life()}).",
            f"give {VERSION_FLAGS[knob.product]}",
        )
    if knob.unless and not facts.at_the_node:
        return _result(
            Kind.UNSURE, held, f"It has no effect where {knob.unless}.", "remove it there, or ask the node itself"
        )
    value = effect(knob, text)
    assert value is not None
    if value == 0 and knob.zero and not knob.is_flag:
        return _result(Kind.EFFECTIVE, held, knob.zero)
    return _result(Kind.EFFECTIVE, held, f"It takes effect: {knob.with_unit(value)}.")


VERSION_FLAGS = {Product.OVN: "--ovn-version", Product.OVS: "--ovs-version"}
"""Flags of ``ovsnet tune lint`` that say what runs where nobody can be asked."""


def _number(held: KnobValue) -> int | None:
    return None if held.knob.is_flag or held.text is None else read(held.knob, held.text)


def faults(results: Iterable[LintResult]) -> list[LintResult]:
    """Those that call for a change."""
    return [each for each in results if each.kind.is_fault]

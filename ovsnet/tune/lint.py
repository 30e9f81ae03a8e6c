"""Judge what is set: what does the daemon that runs really do with it, and what to set instead? Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ovsnet.node.version import shown
from ovsnet.ovsdb.smap import smap_bool
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, Setting
from ovsnet.tune.knob import Knob, Unit
from ovsnet.tune.rules import RULES


class Kind(StrEnum):
    """What a finding says. All but EFFECTIVE and UNSURE are faults."""

    DEAD = "dead"
    NO_CONSUMER = "no-consumer"
    NOT_A_VALUE = "not-a-value"
    WRONG_UNIT = "wrong-unit"
    BELOW_FLOOR = "below-floor"
    UNSAFE_ZERO = "unsafe-zero"
    CONTRADICTION = "contradiction"
    UNSURE = "unsure"
    EFFECTIVE = "effective"

    @property
    def is_fault(self) -> bool:
        """Whether something is to be changed."""
        return self not in (Kind.EFFECTIVE, Kind.UNSURE)


@dataclass(frozen=True, slots=True)
class Finding:
    """``says`` is what is set, ``does`` what the daemon does with it, ``instead`` what to set (``knob=value``)
    or do."""

    kind: Kind
    knob: str
    place: str
    value: str
    says: str
    does: str
    instead: str = ""


def lint(facts: Facts) -> list[Finding]:
    """All findings, the faults first."""
    found = [_judge(facts, setting) for setting in every_setting(facts)]
    found += contradictions(facts)
    return sorted(found, key=lambda finding: list(Kind).index(finding.kind))


def every_setting(facts: Facts) -> Iterator[Setting]:
    """What is set, of all knobs."""
    for knob in KNOBS.values():
        yield from (setting for setting in facts.settings(knob) if setting.text is not None)


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


def contradictions(facts: Facts) -> Iterator[Finding]:
    """Knobs that act, and do not fit one another."""
    for rule in RULES:
        for conflict in rule(facts, effect):
            setting = conflict.setting
            yield Finding(
                Kind.CONTRADICTION,
                setting.knob.name,
                setting.place,
                setting.text or "",
                _says(setting),
                conflict.does,
                conflict.instead,
            )


def _judge(facts: Facts, setting: Setting) -> Finding:
    for look in (_unread, _unreadable, _in_another_unit, _rounded, _unsafe_zero):
        if (found := look(facts, setting)) is not None:
            return found
    return _effective(facts, setting)


def _finding(kind: Kind, setting: Setting, does: str, instead: str = "") -> Finding:
    assert setting.text is not None
    return Finding(kind, setting.knob.name, setting.place, setting.text, _says(setting), does, instead)


def _says(setting: Setting) -> str:
    knob, text = setting.knob, setting.text
    if text is None:
        return f"{setting.place} is not set ({knob.default})."
    value = None if knob.is_flag else read(knob, text)
    return f"{setting.place} is {text if value is None else knob.with_unit(value)}."


def _unread(facts: Facts, setting: Setting) -> Finding | None:
    knob = setting.knob
    acts = facts.acts(knob)
    if acts is not False:
        return None
    instead = _replacement(facts, setting)
    if not knob.consumed:
        return _finding(Kind.NO_CONSUMER, setting, "Nothing in OVN or Open vSwitch reads it.", instead)
    if knob.name in facts.overridden:
        return _finding(Kind.DEAD, setting, facts.overridden[knob.name], "remove it")
    version = facts.versions[knob.reader]
    if knob.until is not None and version >= knob.until:
        does = f"{knob.reader} {shown(version)} ignores it, as all do since {knob.product} {shown(knob.until)}."
    else:
        assert knob.since is not None
        does = f"{knob.reader} {shown(version)} does not know it: it came with {knob.product} {shown(knob.since)}."
    return _finding(Kind.DEAD, setting, does, instead)


def _replacement(facts: Facts, setting: Setting) -> str:
    """What to set instead here, and, where nothing acts here yet, from which version on there is something."""
    knob = setting.knob
    value = read(knob, setting.text or "")
    if not value or not knob.replaced_by:
        return "remove it"
    wanted = [(KNOBS[name], number) for name, number in knob.replacements(value)]
    now = " and ".join(f"{each.name}={number}" for each, number in wanted if facts.acts(each) is not False)
    first = wanted[0]
    if facts.acts(first[0]) is False and first[0].since is not None:
        return f"remove it; from {first[0].product} {shown(first[0].since)} on, {first[0].name}={first[1]}"
    return f"{now}; remove it"


def _unreadable(facts: Facts, setting: Setting) -> Finding | None:
    knob, text = setting.knob, setting.text
    assert text is not None
    if knob.is_flag:
        if text.lower() in ("true", "false"):
            return None
        meant = "true" if read(knob, text) else "false"
        return _finding(Kind.NOT_A_VALUE, setting, f"{knob.reader} takes it for {meant}.", f"{knob.name}=true or false")
    value = read(knob, text)
    if value is not None and value >= 0:
        return None
    return _finding(
        Kind.NOT_A_VALUE,
        setting,
        f"{knob.reader} cannot read it, and falls back to its default: {knob.default}.",
        f"{knob.name}=N, a whole number",
    )


def _in_another_unit(facts: Facts, setting: Setting) -> Finding | None:
    knob = setting.knob
    if (value := _number(setting)) is None or knob.typical is None:
        return None
    low, high = knob.typical
    really = knob.with_unit(knob.takes(value)) if knob.takes(value) else "off"
    if knob.unit is Unit.MILLISECONDS and value < low and SECONDS[0] <= value <= SECONDS[1]:
        return _finding(
            Kind.WRONG_UNIT,
            setting,
            f"{knob.reader} reads milliseconds: it takes this for {really}. It looks like seconds.",
            f"{knob.name}={value * 1000}",
        )
    if knob.unit is Unit.SECONDS and value > high:
        return _finding(
            Kind.WRONG_UNIT,
            setting,
            f"{knob.reader} reads seconds: it takes this for {really}. It looks like milliseconds.",
            f"{knob.name}={max(value // 1000, 1)}",
        )
    return None


SECONDS = (5, 600)
"""A number from here to there, in a place for milliseconds, is what people write for seconds."""


def _rounded(facts: Facts, setting: Setting) -> Finding | None:
    knob = setting.knob
    if (value := _number(setting)) is None or knob.takes(value) == value or value == 0:
        return None
    taken = knob.takes(value)
    return _finding(
        Kind.BELOW_FLOOR,
        setting,
        f"{knob.reader} makes {knob.with_unit(taken) if taken else 'off'} of it.",
        f"{knob.name}={taken or knob.bounds[0]}",
    )


def _unsafe_zero(facts: Facts, setting: Setting) -> Finding | None:
    knob = setting.knob
    if _number(setting) != 0 or knob.zero_is_safe or not _can_be_cut_off(facts, setting):
        return None
    return _finding(Kind.UNSAFE_ZERO, setting, f"{_capital(knob.zero)}.", f"{knob.name}={knob.unset or knob.bounds[0]}")


def _can_be_cut_off(facts: Facts, setting: Setting) -> bool:
    """A unix socket tells when its other end is gone; a network does not."""
    if setting.knob.reader == "ovn-controller":
        return facts.remote_is_distant
    return "unix:" not in setting.row.label


def _effective(facts: Facts, setting: Setting) -> Finding:
    knob, text = setting.knob, setting.text
    assert text is not None
    if facts.acts(knob) is None:
        return _finding(
            Kind.UNSURE,
            setting,
            f"Whether it does anything hangs on the version of {knob.reader}, which is not known ({knob.life()}).",
            f"give --ov{'n' if knob.product == 'OVN' else 's'}-version",
        )
    value = effect(knob, text)
    assert value is not None
    what = _capital(knob.zero) if value == 0 and knob.zero and not knob.is_flag else f"It acts: {knob.with_unit(value)}"
    return _finding(Kind.EFFECTIVE, setting, f"{what}.")


def _number(setting: Setting) -> int | None:
    return None if setting.knob.is_flag or setting.text is None else read(setting.knob, setting.text)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def faults(findings: Iterable[Finding]) -> list[Finding]:
    """Those that call for a change."""
    return [finding for finding in findings if finding.kind.is_fault]

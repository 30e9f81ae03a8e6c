"""What the daemon that runs really does with a knob that is set, and what to set instead. Pure."""

from __future__ import annotations

from ovsnet.node.version import Version, reached, shown
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts, KnobValue
from ovsnet.tune.finding import Kind, LintResult, effect, number, read, result
from ovsnet.tune.knob import Product, Unit


def judge_knob(facts: Facts, held: KnobValue) -> LintResult:
    """The first thing that is to be said of it."""
    judges = (
        *(_unread, _shadowed, _out_of_width, _unreadable, _in_another_unit, _rounded, _unsafe_zero),
        *(_out_of_bounds, _harmful, _needless),
    )
    for judge in judges:
        if (found := judge(facts, held)) is not None:
            return found
    return _effective(facts, held)


def _unread(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if facts.acts(knob) is not False:
        return None
    instead = _replacement(facts, held)
    if not knob.consumed:
        does = "Nothing in OVN or Open vSwitch reads it."
        return result(Kind.NO_CONSUMER, held, does, instead, harmless=_is_fulfilled(facts, held))
    if knob.name in facts.overridden:
        return result(Kind.DEAD, held, facts.overridden[knob.name], "remove it", harmless=True)
    version = facts.versions[knob.reader]
    if knob.until is not None and version >= knob.until:
        does = f"{knob.reader} {shown(version)} ignores it: {knob.product} {shown(knob.until)} dropped it. {knob.gone}"
        return result(Kind.DEAD, held, does.rstrip(), instead, harmless=bool(knob.gone))
    assert knob.since is not None
    does = f"{knob.reader} {shown(version)} does not know it: it came with {knob.product} {shown(knob.since)}."
    return result(Kind.DEAD, held, does, instead, harmless=effect(knob, held.text) == effect(knob, None))


def _is_fulfilled(facts: Facts, held: KnobValue) -> bool:
    """Whether what was wished is set where it counts, or nothing was wished."""
    value = read(held.knob, held.text or "")
    if not value:
        return True
    wanted = [(KNOBS[name], wish) for name, wish in held.knob.replacements(value)]
    return bool(wanted) and all(
        rows and all(effect(knob, each.text) == wish for each in rows)
        for knob, wish in wanted
        for rows in [list(facts.values(knob))]
    )


def _replacement(facts: Facts, held: KnobValue) -> str:
    """What to set instead here, and, where nothing acts here yet, from which version on there is something."""
    knob = held.knob
    value = read(knob, held.text or "")
    if not value or not knob.replaced_by or _is_fulfilled(facts, held):
        return "remove it"
    wanted = [(KNOBS[name], wish) for name, wish in knob.replacements(value)]
    now = " and ".join(f"{each.name}={wish}" for each, wish in wanted if facts.acts(each) is not False)
    return f"{now}; remove it" if now else "remove it"


def _shadowed(facts: Facts, held: KnobValue) -> LintResult | None:
    override = facts.shadowed(held)
    if override is None:
        return None
    does = f"{held.knob.reader} reads {override} instead, on this chassis."
    return result(Kind.SHADOWED, held, does, f"change {override}, or remove it", harmless=True)


def _out_of_width(facts: Facts, held: KnobValue) -> LintResult | None:
    knob, text = held.knob, held.text or ""
    if knob.is_flag or not text.strip().lstrip("+-").isdecimal() or read(knob, text) is not None:
        return None
    if not text.isascii() or text.strip().startswith("-"):
        return None
    does = f"{knob.reader} cannot hold so large a number and uses its default: {knob.default}."
    return result(Kind.NOT_A_VALUE, held, does, f"{knob.name}=N, at most {min(knob.bounds[1], knob.width.value[1])}")


def _unreadable(facts: Facts, held: KnobValue) -> LintResult | None:
    knob, text = held.knob, held.text
    assert text is not None
    if knob.is_flag:
        if text.lower() in ("true", "false"):
            return None
        meant = "true" if read(knob, text) else "false"
        return result(Kind.NOT_A_VALUE, held, f"{knob.reader} takes it for {meant}.", f"{knob.name}=true or false")
    value = read(knob, text)
    if value is not None and value >= 0:
        return None
    does = f"{knob.reader} cannot read it and uses its default: {knob.default}."
    return result(Kind.NOT_A_VALUE, held, does, f"{knob.name}=N, a whole number")


def _in_another_unit(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if (value := number(held)) is None or knob.typical is None:
        return None
    low, high = knob.typical
    if knob.unit is Unit.MILLISECONDS and value < low and SECONDS[0] <= value <= SECONDS[1]:
        does = f"This looks like seconds, and the unit is milliseconds: {knob.outcome(value)}"
        return result(Kind.WRONG_UNIT, held, does, f"{knob.name}={value * 1000}")
    if knob.unit is Unit.SECONDS and value > high:
        does = f"This looks like milliseconds, and the unit is seconds: {knob.outcome(value)}"
        return result(Kind.WRONG_UNIT, held, does, f"{knob.name}={max(value // 1000, 1)}")
    return None


SECONDS = (5, 600)
"""A number from here to there, in a place for milliseconds, is what people write for seconds."""


def _rounded(facts: Facts, held: KnobValue) -> LintResult | None:
    """A daemon that raises a value to its floor is as patient as was meant, or more."""
    knob = held.knob
    if (value := number(held)) is None or (taken := knob.takes(value)) == value or value == 0:
        return None
    instead = f"{knob.name}={taken or knob.bounds[0]}"
    return result(Kind.BELOW_FLOOR, held, knob.outcome(value), instead, harmless=taken > 0)


def _unsafe_zero(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if number(held) != 0 or knob.zero_is_safe or not _can_be_cut_off(facts, held):
        return None
    return result(Kind.UNSAFE_ZERO, held, knob.zero, f"{knob.name}={knob.unset or knob.bounds[0]}")


def _can_be_cut_off(facts: Facts, held: KnobValue) -> bool:
    """A unix socket closes when its other end is gone; across a network nothing may say so."""
    if held.knob.reader == "ovn-controller":
        return facts.remote_is_distant
    return not held.row.on_unix_socket


def _out_of_bounds(facts: Facts, held: KnobValue) -> LintResult | None:
    """It acts as it is, and nobody means it."""
    knob = held.knob
    value, (low, high) = number(held), knob.bounds
    if not value or low <= value <= high:
        return None
    few = "little" if value < low else "much"
    return result(
        Kind.OUT_OF_RANGE,
        held,
        f"{knob.outcome(value)} That is too {few} to be meant: {low} to {high} is what makes sense.",
        f"{knob.name}={low if value < low else high}, or remove it",
    )


def _harmful(facts: Facts, held: KnobValue) -> LintResult | None:
    knob = held.knob
    if not knob.harm or not knob.is_flag or not effect(knob, held.text):
        return None
    managed = facts.external_id("ovn-managed-flow-restore-wait").lower() == "true"
    version = facts.versions.get("ovn-controller")
    if knob.name == "flow-restore-wait" and (managed or version in SETS_RESTORE_WAIT):
        by_itself = "OVN set it by itself, and may never clear it (FDP-3862; OVN 30f431174 takes it back). "
        return result(
            Kind.DANGEROUS, held, by_itself + knob.harm, "upgrade OVN to 24.03.9, 25.09.4 or 26.03.2; then remove it"
        )
    return result(Kind.DANGEROUS, held, knob.harm, "remove it once the flows are restored")


SETS_RESTORE_WAIT: tuple[Version, ...] = ((24, 3, 8), (25, 3, 3), (25, 9, 3), (26, 3, 1))
"""Tags of OVN whose ovn-controller sets flow-restore-wait on a gateway with others (621f85e92, controller/
ovn-controller.c, "Setting flow-restore-wait=true"); 30f431174 reverts it in 24.03.9, 25.09.4 and 26.03.2."""


def _needless(facts: Facts, held: KnobValue) -> LintResult | None:
    """On a unix socket 0 is right, and is what counts while nothing is set."""
    knob = held.knob
    value = number(held)
    if not value or knob.name != "ovn-remote-probe-interval" or facts.remote_is_distant:
        return None
    short = value < LONG_PAUSE
    does = "The southbound is on a unix socket, which closes when its other end is gone and needs no probe. " + (
        f"A pause of the server of {2 * value // 1000} s makes ovn-controller connect again, and download all."
        if short
        else f"It takes effect: {knob.with_unit(value)}."
    )
    return result(Kind.NEEDLESS, held, does, f"{knob.name}=0, or remove it", harmless=not short)


LONG_PAUSE = 16_000
"""Milliseconds that a southbound of a large cluster may pause and be well (ovn-org/ovn-heater #200). With 10 s on unix
sockets, large databases cost the connection over and over (openshift/cluster-network-operator #2904, #3163)."""


def _effective(facts: Facts, held: KnobValue) -> LintResult:
    knob, text = held.knob, held.text
    assert text is not None
    if facts.acts(knob) is None:
        does = (
            f"Whether it takes effect depends on the version of {knob.reader}, which is unknown ({knob.life()})."
            if not _version_is_short(facts, held)
            else f"Whether it takes effect depends on the whole version of {knob.reader} ({knob.life()})."
        )
        return result(Kind.UNSURE, held, does, f"give {VERSION_FLAGS[knob.product]}")
    if knob.unless and not facts.at_the_node:
        return result(
            Kind.UNSURE, held, f"It has no effect where {knob.unless}.", "remove it there, or ask the node itself"
        )
    if knob.name in facts.doubts:
        return result(Kind.UNSURE, held, facts.doubts[knob.name])
    value = effect(knob, text)
    assert value is not None
    if value == 0 and knob.zero and not knob.is_flag:
        return result(Kind.EFFECTIVE, held, knob.zero)
    return result(Kind.EFFECTIVE, held, f"It takes effect: {knob.with_unit(value)}.")


def _version_is_short(facts: Facts, held: KnobValue) -> bool:
    version = facts.versions.get(held.knob.reader)
    return version is not None and reached(version, held.knob.since) is None


VERSION_FLAGS = {Product.OVN: "--ovn-version", Product.OVS: "--ovs-version"}
"""Flags of ``ovsnet tune lint`` that say what runs where nobody can be asked."""

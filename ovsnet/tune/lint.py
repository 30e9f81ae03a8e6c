"""Judge what is set: what does the daemon that runs really do with it, and what to set instead? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ovsnet.node.chassis import lacking
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.finding import Kind, LintResult, effect, says
from ovsnet.tune.judge_keys import judge_keys
from ovsnet.tune.judge_knobs import judge_knob
from ovsnet.tune.rules import RULES


def lint(facts: Facts) -> list[LintResult]:
    """What it says of every knob that is set, of other keys that are wrong, and of knobs that do not fit one another;
    the faults first, and of these the harmful ones."""
    found = [judge_knob(facts, held) for held in facts.values_set()]
    found += judge_keys(facts)
    found += contradictions(facts)
    found += chassis(facts)
    return sorted(found, key=lambda each: (not each.is_harmful, list(Kind).index(each.kind)))


def unset(facts: Facts) -> Iterator[str]:
    """What counts for each row that could hold an interval of its own, and does not."""
    for knob in KNOBS.values():
        for held in facts.values(knob) if knob.place is not None and not knob.place.key else ():
            if held.text is None:
                yield says(held)


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
                says(held),
                conflict.does,
                conflict.instead,
            )


CHASSIS_EXAMPLES = {"system-id": "NAME", "ovn-encap-type": "geneve", "ovn-encap-ip": "ADDRESS"}


def chassis(facts: Facts) -> Iterator[LintResult]:
    """What a node that has a southbound to connect to lacks to register there. Nothing else of OVN acts without it."""
    for key in lacking(facts.external_ids) if facts.remote and not facts.partial else ():
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


def faults(results: Iterable[LintResult]) -> list[LintResult]:
    """Those that call for a change."""
    return [each for each in results if each.kind.is_fault]


def harmful(results: Iterable[LintResult]) -> list[LintResult]:
    """Those that keep the node from what was meant: it should not pass with them."""
    return [each for each in results if each.is_harmful]

"""The answer of ``ovsnet explain`` for a person."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from ovsnet.cli.terminal import block, marked
from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import stamp
from ovsnet.explain.daemons import TITLES
from ovsnet.explain.event import Event
from ovsnet.explain.verdicts import Outage, Start, sentence

WIDTH = 110
BAR = 40
SHOWN = 40
"""How many verdicts are printed: the latest ones."""


def lines(found: Answer) -> Iterator[str]:
    """Everything in order of time, then what makes it less certain."""
    yield from _heading(found)
    verdicts: list[Outage | Start] = [*found.outages, *found.starts]
    verdicts.sort(key=lambda each: (each.began, isinstance(each, Start)))
    if len(verdicts) > SHOWN:
        yield ""
        yield f"{len(verdicts) - SHOWN} earlier ones are left out here: --json and --report have them."
    for each in verdicts[-SHOWN:]:
        yield ""
        yield from _outage(each) if isinstance(each, Outage) else _start(each)
    if found.notes:
        yield ""
        for note in found.notes[:SHOWN]:
            place = f"  ({note.place})" if note.place else ""
            yield from _wrapped("note: ", f"{note.words}{place}")


def _heading(found: Answer) -> Iterator[str]:
    counts = f"{_count(len(found.outages), 'outage')}, {_count(len(found.starts), 'start')}"
    if found.outages or found.starts:
        yield f"{counts}."
    else:
        yield "Nothing happened: no start and no outage." if found.sources else "No log of a daemon: see the notes."
    if (span := found.span) is not None:
        names = sorted({TITLES.get(each.daemon, each.daemon) for each in found.sources})
        yield from _wrapped(
            "",
            f"From {stamp(span[0], milliseconds=False)} to {stamp(span[1], milliseconds=False)}, by "
            f"{_count(len({each.name for each in found.sources}), 'file')} of {', '.join(names)}.",
        )


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


def _outage(each: Outage) -> Iterator[str]:
    node = f" on {each.node}" if each.node else ""
    lasted = "it does not end in these lines" if each.seconds is None else f"for {each.seconds:.1f} s"
    kind = marked("failed", "OUTAGE", bold=True)
    yield f"{stamp(each.began)}  {kind}  {each.code}{node}, {lasted} ({each.sure.value})"
    yield from _wrapped("  root: ", sentence(each.words))
    yield from _proof(each.proof)
    for effect in each.effects:
        yield from _wrapped("  then: ", sentence(effect.words))
        yield from _proof(effect.proof[:2])
    if each.remedy:
        yield from _wrapped("  remedy: ", each.remedy)
    if each.surer:
        yield from _wrapped("  to be sure, add: ", each.surer)


def _start(each: Start) -> Iterator[str]:
    node = f" on {each.node}" if each.node else ""
    took = (
        f"never ended: {each.missing}"
        if each.missing
        else "is unknown"
        if each.seconds is None
        else f"{each.seconds:.2f} s"
    )
    kind = marked("failed" if each.missing else "ok", "START", bold=True)
    yield f"{stamp(each.began)}  {kind}   {', '.join(each.daemons)}{node}: {took}"
    yield from _wrapped("  why: ", sentence(each.why))
    longest = max((part.seconds for part in each.parts), default=0.0)
    for part in each.parts:
        bar = block() * max(round(part.seconds / longest * BAR), 1) if longest else ""
        yield f"  {part.seconds:8.3f} s  {part.cause:18} {bar}"
        yield from _wrapped("    ", f"{sentence(part.words)}")
        yield from _proof(part.proof)
    if each.uncertain:
        yield from _wrapped("  unseen: ", each.uncertain)
    for words in each.faster:
        yield from _wrapped("  faster by ", words)


def _proof(events: Sequence[Event]) -> Iterator[str]:
    for event in events:
        yield _cut(f"      {event.place}: {event.text}")


def _cut(text: str) -> str:
    return text if len(text) <= 200 else text[:199] + "…"


def _wrapped(head: str, text: str) -> Iterator[str]:
    yield from textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head)) or [head]

"""From events to the answer: starts, outages, and what makes them less sure. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

from ovsnet.explain.clock import stamp
from ovsnet.explain.daemons import NORTHBOUND, OVSDB, SOUTHBOUND, TITLES, target_of
from ovsnet.explain.event import UNKNOWN, Event, Source
from ovsnet.explain.guests import without_guests
from ovsnet.explain.history import STEPS, History
from ovsnet.explain.nodes import histories
from ovsnet.explain.outages import outages
from ovsnet.explain.remarks import remarks
from ovsnet.explain.silences import silences
from ovsnet.explain.starts import starts
from ovsnet.explain.verdicts import Note, Outage, Start
from ovsnet.explain.view import views

MOVES = 20
"""Ports do move: so many times tell of something else."""
SUBJECTS = 20
"""As many disks, and containers whose probes failed, as are reported."""
SERVERS = (OVSDB, SOUTHBOUND, NORTHBOUND)
MIXED = (
    "holds lines of several processes, and nothing says which line is whose, so no start and no end is judged. "
    "Give each process's log as a file of its own, or lines with the name of their pod (`kubectl logs --prefix`)."
)
SHOWN = 200
"""As many starts and outages as are reported in full, the latest of them."""


class Answer(msgspec.Struct, frozen=True):
    """What the lines say: of whom and from when they are, and what happened."""

    sources: Sequence[Source]
    daemons: Sequence[History]
    starts: Sequence[Start]
    outages: Sequence[Outage]
    notes: Sequence[Note]

    @property
    def span(self) -> tuple[float, float] | None:
        """From the first to the last line of any daemon."""
        firsts = [each.first for each in self.sources if each.first is not None]
        lasts = [each.last for each in self.sources if each.last is not None]
        return (min(firsts), max(lasts)) if firsts and lasts else None


def answer(events: Sequence[Event], sources: Sequence[Source], notes: Sequence[Note] = ()) -> Answer:
    """Explain ``events``, which were read from ``sources`` in any order; ``notes`` say what could not be read."""
    events, refused = without_guests(events)
    told = histories(events, sources)
    known = [source for source in sources if source.daemon != UNKNOWN]
    found_starts: list[Start] = []
    found_outages: list[Outage] = []
    for view in views(told):
        own = list(starts(view))
        found_starts += own
        found_outages += _once(outages(view, own), found_outages)
    found_starts.sort(key=lambda each: each.began)
    found_outages.sort(key=lambda each: each.began)
    doubts = [*notes, *refused, *_doubts(events, sources), *_host(events), *_stalls(told, found_outages)]
    doubts += _elections(told, found_outages)
    doubts += [Note(words, place) for words, place in (*remarks(events, told), *silences(sources))]
    return Answer(known, told, found_starts[-SHOWN:], found_outages[-SHOWN:], doubts)


def _once(found: Iterator[Outage], before: Sequence[Outage]) -> Iterator[Outage]:
    """What is wrong in the middle is reported once, not for each node; its consequences are all reported."""
    told = {_same(each): each for each in before if each.proof}
    for outage in found:
        same = told.get(_same(outage)) if outage.proof else None
        if same is None:
            if outage.proof:
                told[_same(outage)] = outage
            yield outage
            continue
        known = {(effect.at, effect.words) for effect in same.effects}
        same.effects += [each for each in outage.effects if (each.at, each.words) not in known]
        same.node = ""


def _same(outage: Outage) -> tuple[str, str, int]:
    return outage.code, outage.daemon, id(outage.proof[0])


def _doubts(events: Sequence[Event], sources: Sequence[Source]) -> Iterator[Note]:
    """Clocks that jumped, and lines that are missing."""
    held: dict[int, list[Event]] = {}
    for event in events:
        if event.kind == "clock-jump":
            seconds = event.number("seconds")
            words = f"The clock went back by {seconds:.1f} s at {stamp(event.at + seconds)}: "
            yield Note(words + "times around it do not say what came first.", event.place)
        elif event.kind in ("held-back", "lines-missing"):
            held.setdefault(id(event.source), []).append(event)
    for source in sources:
        own = held.get(id(source), [])
        dropped = sum(int(event.number("count")) for event in own if event.kind == "held-back")
        missing = sum(int(event.number("count")) for event in own if event.kind == "lines-missing")
        if dropped:
            yield Note(f"{source.name}: its daemon suppressed {_lines(dropped)} (rate limit).", own[0].place)
        if missing and not source.mixed:
            yield Note(f"{source.name}: missing by line numbers: {_lines(missing)}.", own[0].place)
        if source.guessed:
            title = TITLES.get(source.daemon, source.daemon)
            yield Note(f"{source.name}: taken for {title}'s lines, by the addresses that they name.")
    for name in dict.fromkeys(each.name for each in sources if each.mixed and each.daemon != UNKNOWN):
        yield Note(f"{name} {MIXED}")
    for name, count in _counted(events).items():
        yield Note(
            f"{name}: {count} more lines on starts and connections were counted, not followed: explain a shorter time."
        )
    if vague := [source.name for source in sources if not source.zoned and source.daemon != UNKNOWN]:
        names = ", ".join(vague[:3])
        yield Note(f"{names}: the times have no time zone; --zone was assumed.")


def _lines(count: int) -> str:
    return f"{count} line{'' if count == 1 else 's'}"


def _counted(events: Sequence[Event]) -> Counter[str]:
    """Lines by file that came after as many like them as are kept, and that an answer would build on."""
    found: Counter[str] = Counter()
    for event in events:
        if event.repeated and (event.kind == "opened" or _connects(event)):
            found[event.source.name] += event.repeated
    return found


def _connects(event: Event) -> bool:
    return event.kind in STEPS and target_of(event.source.daemon, event.subject) != ""


def _host(events: Sequence[Event]) -> Iterator[Note]:
    """What the kernel says of disks, and the kubelet of its probes."""
    for kind, words in (
        ("device", "The kernel says of {subject}: {error}"),
        ("probe", "The kubelet's probe of {subject} failed"),
    ):
        by_subject: dict[str, list[Event]] = {}
        for event in events:
            if event.kind == kind:
                by_subject.setdefault(event.subject, []).append(event)
        for subject, those in islice(by_subject.items(), SUBJECTS):
            first, count = those[0], sum(1 + event.repeated for event in those)
            told = words.format_map({**first.said, "subject": subject})
            yield Note(f"{told}; {count} times from {stamp(first.at)} on.", first.place)


def _stalls(told: Sequence[History], found: Sequence[Outage]) -> Iterator[Note]:
    """Stalls too short to be outages, as one sentence for each daemon."""
    proofs = {id(event) for outage in found for event in outage.proof}
    for each in told:
        stalls = [event for event in each.of("stall") if id(event) not in proofs]
        if stalls:
            longest = max(stalls, key=lambda event: event.number("ms"))
            count = sum(1 + event.repeated for event in stalls)
            title = TITLES.get(each.daemon, each.daemon)
            times = "once" if count == 1 else f"{count} times"
            words = f"The main loop of {title} was blocked for longer than a second {times}, "
            yield Note(f"{words}for {longest.number('ms') / 1000:.1f} s at most.", longest.place)


def _elections(told: Sequence[History], found: Sequence[Outage]) -> Iterator[Note]:
    """Elections, clients that a server gave up on, and ports that came from other chassis."""
    reported = {outage.code for outage in found}
    for each in told:
        title = TITLES.get(each.daemon, each.daemon)
        if tries := each.of("election"):
            words = f"{title} {each.instance} started {_elections_of(tries)} and won {len(each.of('elected'))}"
            yield Note(f"{words}; the last was at {stamp(tries[-1].at)}.", tries[-1].place)
        lost = [event for event in each.of("gave-up") if each.daemon in SERVERS]
        if lost:
            count = sum(1 + event.repeated for event in lost)
            words = f"{title} disconnected peers {count} times because they did not answer its probe; first "
            yield Note(f"{words}{lost[0].subject} at {stamp(lost[0].at)}.", lost[0].place)
        if len(moved := each.of("moved")) > MOVES and "chassis-conflict" not in reported:
            words = f"{title} took ports from other chassis {len(moved)} times."
            yield Note(words, moved[-1].place)


def _elections_of(tries: Sequence[Event]) -> str:
    count = sum(1 + event.repeated for event in tries)
    return f"{count} election{'' if count == 1 else 's'}"


def document(found: Answer) -> dict[str, Any]:
    """The answer as one JSON document."""
    span = found.span
    return {
        "from": stamp(span[0]) if span else None,
        "to": stamp(span[1]) if span else None,
        "sources": [
            {"name": each.name, "daemon": each.daemon, "node": each.node, "lines": each.lines, "first": _at(each.first),
             "last": _at(each.last)}
            for each in found.sources
        ],
        "starts": [_start(each) for each in found.starts],
        "outages": [_outage(each) for each in found.outages],
        "notes": [{"words": each.words, "place": each.place} for each in found.notes],
    }  # fmt: skip


def _at(at: float | None) -> str | None:
    return None if at is None else stamp(at)


def _seconds(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _proof(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [{"place": each.place, "at": stamp(each.at), "text": each.text} for each in events]


def _start(each: Start) -> dict[str, Any]:
    return {
        "node": each.node,
        "daemons": list(each.daemons),
        "began": stamp(each.began),
        "ended": _at(each.ended),
        "seconds": _seconds(each.seconds),
        "why": each.why,
        "unseen_seconds": each.unseen,
        "waits_for": each.missing,
        "stages": [
            {"stage": name, "at": stamp(at), "took_seconds": _seconds(at - each.began)} for name, at in each.stages
        ],
        "parts": [
            {"cause": part.cause, "seconds": _seconds(part.seconds), "words": part.words, "proof": _proof(part.proof)}
            for part in each.parts
        ],
        "faster": list(each.faster),
    }


def _outage(each: Outage) -> dict[str, Any]:
    return {
        "code": each.code,
        "node": each.node,
        "daemon": each.daemon,
        "began": stamp(each.began),
        "ended": _at(each.ended),
        "seconds": _seconds(each.seconds),
        "words": each.words,
        "sure": each.sure.value,
        "surer": each.surer,
        "remedy": each.remedy,
        "proof": _proof(each.proof),
        "effects": [
            {"at": stamp(effect.at), "words": effect.words, "code": effect.code, "proof": _proof(effect.proof)}
            for effect in each.effects
        ],
    }

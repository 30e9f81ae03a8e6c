"""The answer as one page for an incident review: the life of each daemon as a bar, and every verdict with its lines.

Pure. The page needs no other file and runs no script, so it can be attached to a ticket.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import stamp
from ovsnet.explain.daemons import TITLES
from ovsnet.explain.event import Event
from ovsnet.explain.history import History, Life
from ovsnet.explain.verdicts import Outage, Start, sentence
from ovsnet.explain.view import FAR

WIDTH = 1000.0
LEFT = 240.0
ROW = 22.0
TICKS = 6
NARROW = 2.0
"""What is over at once is drawn so wide."""
LABEL = "The life of each daemon with its stalls, elections and restarts, when it lacked another one, and the outages"
MARKS = 200
"""As many stalls and elections of one daemon as are drawn: more cannot be told apart on a line."""
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; max-width: 1280px; margin: 2rem auto; padding: 0 1rem; color: #222;
  background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 1.6rem 0 .3rem }
code, pre { font: 12px/1.4 ui-monospace, monospace } pre { white-space: pre-wrap; background: #f4f4f4; padding: .5rem }
h1, h2, p, li, pre { overflow-wrap: anywhere }
.chart { overflow-x: auto } svg { width: 100%; min-width: 720px; height: auto } .life { fill: #4c9f70 }
.lost { fill: #e0a030 } .stall { fill: #7a3fb0 } .election { fill: #1f6fd0 } .end { fill: #222 }
.outage { fill: #c0392b; opacity: .25 }
.legend svg { width: .8rem; min-width: 0; vertical-align: middle; margin-left: .6rem }
table { border-collapse: collapse } td { padding: .1rem .6rem .1rem 0; vertical-align: top }
td:first-child { white-space: nowrap }
.remedy { border-left: 3px solid #4c9f70; padding-left: .6rem }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd } pre { background: #242424 }
  text { fill: #ddd } .end { fill: #fff } .stall { fill: #c39be6 } .election { fill: #7db4ff } }
"""


LEGEND = (
    '<p class="legend">'
    + "".join(
        f'<svg class="key" viewBox="0 0 12 12" aria-hidden="true"><rect class="{kind}" width="12" height="12"/></svg> '
        f"{words} "
        for kind, words in (
            ("life", "a process"),
            ("end", "its end or restart"),
            ("stall", "a stall"),
            ("election", "an election"),
            ("lost", "without another daemon"),
            ("outage", "an outage"),
        )
    )
    + "</p>"
)
"""Colours alone mean nothing to somebody who sees them for the first time."""


def page(found: Answer) -> str:
    """The whole page."""
    span = found.span or (0.0, 0.0)
    title = f"What happened from {stamp(span[0], milliseconds=False)} to {stamp(span[1], milliseconds=False)}"
    verdicts: list[Outage | Start] = [*found.outages, *found.starts]
    verdicts.sort(key=lambda each: (each.began, isinstance(each, Start)))
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{_count(found.outages, 'outage')}, {_count(found.starts, 'start')}.</p>",
        *_chart(found, span),
        *(part for each in verdicts for part in (_outage(each) if isinstance(each, Outage) else _start(each))),
        *_notes(found),
    ]
    view = '<meta name="viewport" content="width=device-width, initial-scale=1">'
    head = f'<meta charset="utf-8">{view}<title>{escape(title)}</title><style>{STYLE}</style>'
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body><main>\n'
        + "\n".join(body)
        + "\n</main></body></html>\n"
    )


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _chart(found: Answer, span: tuple[float, float]) -> Iterator[str]:
    """A row for each daemon: its lives with their marks, and below them when it lacked whom; outages lie behind all
    rows, so that what is in front of them can be pointed at."""
    seconds = max(span[1] - span[0], 0.001)
    rows = [each for each in found.daemons if each.lives]
    height = ROW * (len(rows) + 1)

    def bar(began: float, ended: float, y: float, tall: float, kind: str, words: str) -> str:
        x = LEFT + (max(began, span[0]) - span[0]) / seconds * WIDTH
        wide = max((min(ended, span[1]) - max(began, span[0])) / seconds * WIDTH, NARROW)
        box = f'x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}"'
        return f'<rect class="{kind}" {box}><title>{escape(words)}</title></rect>'

    yield '<div class="chart" tabindex="0" role="region" aria-label="Timeline">'
    yield f'<svg viewBox="0 0 {LEFT + WIDTH:.0f} {height:.0f}" role="img" aria-label="{LABEL}" font-size="12">'
    for outage in found.outages:
        ended = span[1] if outage.ended is None else outage.ended
        yield bar(outage.began, ended, 0, height - ROW, "outage", f"{outage.code} from {stamp(outage.began)}")
    for number, told in enumerate(rows):
        y = number * ROW
        yield f'<text x="0" y="{y + 13:.0f}">{escape(_name(told))}</text>'
        for life, following in zip(told.lives, [*told.lives[1:], None], strict=True):
            began = span[0] if life.began is None else life.began
            yield bar(began, _end(found, life, following), y + 2, 9, "life", f"{_name(told)} since {stamp(began)}")
        for mark in _marks(found, told):
            yield bar(mark.began, mark.ended, y, 12, mark.kind, f"{_name(told)} {mark.words}")
        for absence in told.absences:
            if absence.seconds is None or absence.seconds > 0.1:
                whom = TITLES.get(absence.target, absence.target)
                ended = absence.began + (absence.seconds or 0.0)
                yield bar(absence.began, ended, y + 12, 5, "lost", f"without {whom} from {stamp(absence.began)}")
    for number in range(TICKS):
        at = span[0] + seconds * number / TICKS
        x = LEFT + WIDTH * number / TICKS
        yield f'<text x="{x:.0f}" y="{height - 6:.0f}">{stamp(at)[5:19].replace("T", " ")}</text>'
    yield "</svg></div>"
    if rows:
        yield LEGEND


class _Mark(NamedTuple):
    """Something that happened to a daemon. ``kind`` is its class in ``STYLE``."""

    kind: str
    began: float
    ended: float
    words: str


def _marks(found: Answer, told: History) -> Iterator[_Mark]:
    """When it was blocked, when it started an election or won one, and when its processes ended and began."""
    for event in told.of("stall")[:MARKS]:
        seconds = event.number("ms") / 1000
        thread = f"thread {event.thread}" if event.thread else "main loop"
        yield _Mark("stall", event.at - seconds, event.at, f"{thread} was blocked for {seconds:.1f} s")
    for event in told.of("election", "elected")[:MARKS]:
        what = "started an election" if event.kind == "election" else "was elected leader"
        yield _Mark("election", event.at, event.at, f"{what} at {stamp(event.at)}")
    for before, life in pairwise(told.lives):
        ended = _end(found, before, life)
        yield _Mark("end", ended, ended, f"{_how(before)} at {stamp(ended)}")
        if life.began is not None:
            yield _Mark("end", life.began, life.began, f"was started again at {stamp(life.began)}")
    for last in told.lives[-1:]:
        if last.ended is not None:
            yield _Mark("end", last.ended, last.ended, f"{_how(last)} at {stamp(last.ended)}")


def _how(life: Life) -> str:
    return f"died: {life.crash}," if life.crash else "was told to exit" if life.asked else "ended"


def _name(told: History) -> str:
    title = TITLES.get(told.daemon, told.daemon)
    name = told.instance if told.daemon in ("southbound", "northbound") and told.instance else title
    return f"{told.node} {name}".strip()


def _end(found: Answer, life: Life, following: Life | None) -> float:
    """Until when a process is drawn: its end, as its log or its peers' say, or else the end of all lines."""
    if life.ended is not None:
        return life.ended
    if following is None:
        return FAR
    ends = (
        outage.began
        for outage in found.outages
        if outage.daemon == life.daemon and life.seen - 1 <= outage.began <= (following.began or 0.0)
    )
    return min(ends, default=life.seen)


def _outage(each: Outage) -> Iterator[str]:
    lasted = "without an end in these lines" if each.seconds is None else f"for {each.seconds:.1f} s"
    node = f" on {each.node}" if each.node else ""
    yield f"<h2>{stamp(each.began)} outage: <code>{escape(each.code)}</code>{escape(node)}, {lasted}</h2>"
    yield f"<p>{escape(sentence(each.words))} This is {each.sure.value}.</p>{_lines(each.proof)}"
    if each.effects:
        effects = (
            f"<li>{stamp(effect.at)} {escape(sentence(effect.words))}{_lines(effect.proof)}</li>"
            for effect in sorted(each.effects, key=lambda effect: effect.at)
        )
        yield f"<p>Then:</p><ul>{''.join(effects)}</ul>"
    if each.remedy:
        yield f'<p class="remedy">{escape(each.remedy)}</p>'
    if each.surer:
        yield f"<p>To be sure, add: {escape(each.surer)}.</p>"


def _start(each: Start) -> Iterator[str]:
    took = f"never ended: {each.missing}" if each.seconds is None else f"{each.seconds:.2f} s"
    node = f" on {each.node}" if each.node else ""
    yield f"<h2>{stamp(each.began)} start: {escape(', '.join(each.daemons))}{escape(node)}, {escape(took)}</h2>"
    yield f"<p>{escape(sentence(each.why))}</p><table>"
    for part in each.parts:
        words = f"{escape(sentence(part.words))}{_lines(part.proof)}"
        yield f"<tr><td>{part.seconds:.3f} s</td><td>{escape(part.cause)}</td><td>{words}</td></tr>"
    yield "</table>"
    if each.uncertain:
        yield f"<p>{escape(each.uncertain)}</p>"
    yield from (f'<p class="remedy">Faster by {escape(words)}</p>' for words in each.faster)


def _lines(events: Sequence[Event]) -> str:
    if not events:
        return ""
    text = "\n".join(f"{event.place}: {event.text}" for event in events)
    return f"<pre>{escape(text)}</pre>"


def _notes(found: Answer) -> Iterator[str]:
    if not found.notes:
        return
    yield "<h2>What makes this less sure</h2><ul>"
    for note in found.notes:
        yield f"<li>{escape(note.words)} <code>{escape(note.place)}</code></li>"
    yield "</ul>"

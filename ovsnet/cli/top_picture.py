"""What ``ovsnet top`` shows, line by line, for a screen of any size. Pure.

The head stays: the verdict, what it means, what to do, the evidence. Below it daemons, checks and events scroll, what
is wrong first. So the root cause, its remedy and the daemon are on the smallest screen, however far one has scrolled.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from rich.text import Text

from ovsnet.cli.agent_document import AgentCheck, AgentDiagnosis, AgentEvent, AgentHistory, AgentStatus
from ovsnet.cli.terminal import SIGNS
from ovsnet.cli.top_daemons import (
    LEVELS,
    NEW,
    SHOWN_FIRST,
    STYLES,
    WRONG,
    Row,
    lasting,
    rank,
    rows,
    span,
    sparkline,
)

ROOMY = 24
"""Lines of a screen with room for blank ones, and for a remedy beside its command."""

EVIDENCE = 8
"""Lines of the screen for each line of evidence."""

LEFT_FOR_DAEMONS = 2
"""Lines that the head never takes."""

WIDEST_SPARKLINE = 120
WIDE = 90
"""With this many columns or more, processes are shown too."""
LONGEST_WORD = 22

KEYS = (
    ("q, Ctrl-C", "quit"),
    ("space", "show or fold the checks that are well"),
    ("up, down", "scroll; Page Up, Page Down, Home and End, too"),
    ("?", "show or hide these keys"),
    (f"{LEVELS[::3]} {SIGNS['failed']}", "the longest answers of the last hour, and failures"),
)
FOR_KEYS = "? keys"


class Known(msgspec.Struct, frozen=True):
    """The last answers of the agent."""

    status: AgentStatus
    history: AgentHistory | None


class Lost(msgspec.Struct, frozen=True):
    """The agent does not answer: for how many seconds, and why."""

    age: float
    why: str


class View(msgspec.Struct):
    """What the keys have changed."""

    unfolded: bool = False
    keys: bool = False
    offset: int = 0
    """How many lines of the part that scrolls are above the screen."""


class Picture(msgspec.Struct, frozen=True):
    """``lines`` is no more than fits; ``furthest`` is the greatest offset that shows something."""

    lines: list[Text]
    furthest: int


def picture(known: Known, view: View, width: int, height: int, lost: Lost | None = None) -> Picture:
    """The screen. While the agent is lost, it is dimmed below a line that says so."""
    above = [] if lost is None else _lost(lost)
    head = _cut_to(_head(known, width, height), height - len(above) - LEFT_FOR_DAEMONS - 1)
    body = list(_keys() if view.keys else _body(known, view, width, height))
    room = max(height - len(above) - len(head) - 1, 0)
    furthest = max(len(body) - room, 0)
    shown = body[min(view.offset, furthest) :][:room]
    shown += [Text()] * (room - len(shown))
    foot = _foot(known.status, view, len(body) - min(view.offset, furthest) - room, width)
    found = [*head, *shown, foot]
    if lost is not None:
        found = [Text.assemble(line, style="dim") for line in found]
    lines = [*above, *found][:height]
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    return Picture(lines, furthest)


def _lost(lost: Lost) -> list[Text]:
    said = f"{SIGNS['failed']} NO ANSWER from the agent: what is below is {lasting(lost.age)} old."
    return [Text(said, "bold red"), Text(lost.why, "red")]


def _cut_to(lines: list[Text], most: int) -> list[Text]:
    """The last line shows that there were more."""
    kept = lines[: max(most, 0)]
    return [*kept[:-1], Text.assemble(kept[-1], " …")] if kept and len(kept) < len(lines) else kept


# ---- the head


def _head(known: Known, width: int, height: int) -> list[Text]:
    diagnosis, roomy = known.status.diagnosis, height >= ROOMY
    lines = [_verdict(known.status), *_wrapped(diagnosis.summary, width)]
    if diagnosis.command:
        lines += _wrapped(f"$ {diagnosis.command}", width, style="bold")
    if roomy or not diagnosis.command:
        lines += _wrapped(diagnosis.remedy, width, style="" if diagnosis.command else "bold")
    lines += [Text(f"  {each}", "dim") for each in _evidence(diagnosis, height)]
    return [*lines, Text()] if roomy else lines


def _evidence(diagnosis: AgentDiagnosis, height: int) -> list[str]:
    """Each line begins with the name of the check that says so."""
    return diagnosis.evidence[: max(height // EVIDENCE, 1)]


def _verdict(status: AgentStatus) -> Text:
    diagnosis, style = status.diagnosis, STYLES.get(status.state, "")
    so_far = "" if status.now is None else f" for {lasting(status.now - diagnosis.since)}"
    return Text.assemble(
        (f"{SIGNS.get(status.state, NEW)} {label(status.state)} ", f"bold {style}"),
        (diagnosis.code, "bold"),
        so_far,
        f", since {clock(diagnosis.since, status.now)}",
        f"; also {', '.join(diagnosis.also)}" if diagnosis.also else "",
    )


def label(state: str) -> str:
    """A state as people read it."""
    return state.replace("-", " ").upper()


def _wrapped(text: str, width: int, style: str = "") -> Iterator[Text]:
    for line in textwrap.wrap(text, max(width, 1), break_on_hyphens=False):
        yield Text(line, style)


# ---- what scrolls


def _body(known: Known, view: View, width: int, height: int) -> Iterator[Text]:
    space = [Text()] if height >= ROOMY else []
    yield from _daemons(known, width)
    if checks := list(_checks(known.status, height, unfolded=view.unfolded)):
        yield from [*space, *checks]
    yield from space
    yield from (_event(each, known.status.now) for each in events(known, checks=view.unfolded))


def _daemons(known: Known, width: int) -> Iterator[Text]:
    found = rows(known.status, known.history)
    title = max((len(row.title) for row in found), default=0)
    word = min(max((len(row.word) for row in found), default=0), LONGEST_WORD)
    process = max((len(row.process) for row in found), default=0) if width >= WIDE else 0
    taken = len("✖ ") + title + len("  ") + word + (len("  ") + process if process else 0) + len("  ")
    columns = min(max(width - taken, 0), WIDEST_SPARKLINE)
    for row in found:
        line = _sign(row.status)
        line.append(row.title.ljust(title), "bold" if row.is_root else "")
        line.append(f"  {_cut(row.word, word)}", STYLES.get(row.status, "") if row.status in WRONG else "")
        if process:
            line.append(f"  {row.process.ljust(process)}", "dim")
        line.append("  ").append_text(_hour(row, known, columns))
        yield line


def _cut(text: str, columns: int) -> str:
    return text.ljust(columns) if len(text) <= columns else f"{text[: columns - 1]}…"


def _hour(row: Row, known: Known, columns: int) -> Text:
    if row.track is None or known.history is None:
        return Text()
    return sparkline(row.track, known.history.statuses, columns, known.status.deadlines.timeout)


def _sign(status: str) -> Text:
    return Text.assemble((f"{SIGNS.get(status, NEW)} ", STYLES.get(status, "")))


def _checks(status: AgentStatus, height: int, *, unfolded: bool) -> Iterator[Text]:
    """What is wrong, but for what the head shows as evidence; unfolded, all checks, and how long the start took."""
    wrong, well = divided(status.checks)
    shown = {each.partition(": ")[0] for each in _evidence(status.diagnosis, height)}
    found = [*wrong, *well] if unfolded else [each for each in wrong if each.name not in shown]
    name = max((len(each.name) for each in found), default=0)
    yield from (_check(each, name) for each in found)
    if unfolded:
        took = [f"{each.stage} {span(each.took_seconds)}" for each in status.timeline if each.took_seconds is not None]
        yield Text(f"last start: {', '.join(took) or 'before the agent began'}", "dim")


def _check(check: AgentCheck, name: int) -> Text:
    took = "" if check.rtt_seconds is None else f" {span(check.rtt_seconds)}"
    return _sign(check.status).append(f"{check.name.ljust(name)}  {check.detail}").append(took, "dim")


def divided(checks: list[AgentCheck]) -> tuple[list[AgentCheck], list[AgentCheck]]:
    """What is wrong, the worst first, and what is not."""
    order = sorted(checks, key=lambda each: rank(each.status, SHOWN_FIRST))
    wrong = [each for each in order if each.status not in ("ok", "skipped")]
    return wrong, [each for each in checks if each.status in ("ok", "skipped")]


def counted(well: list[AgentCheck]) -> str:
    """How many checks are well, and how many were not asked."""
    skipped = sum(each.status == "skipped" for each in well)
    return f"{len(well) - skipped} ok" + (f", {skipped} not asked" if skipped else "")


def events(known: Known, *, checks: bool) -> list[AgentEvent]:
    """The newest first. An agent that remembers nothing has the last few in its status."""
    found = known.status.events if known.history is None else known.history.events
    return [each for each in reversed(found) if checks or each.kind != "check"]


def _event(event: AgentEvent, now: float | None) -> Text:
    at = (f"{clock(event.at, now)} ", "dim")
    if event.kind == "start":
        return Text.assemble(at, f"· {event.daemon} started")
    how, what = (event.status, event.name) if event.kind == "check" else (event.state, event.code)
    lasted = "" if event.lasted_seconds is None else f" for {span(event.lasted_seconds)}"
    return Text.assemble(at, _sign(how), f"{what}{lasted}: {event.summary or event.detail}")


def clock(at: float, now: float | None) -> str:
    """The time of a day, with the date where that is not today."""
    found = datetime.fromtimestamp(at, UTC).astimezone()
    return found.strftime("%H:%M:%S" if now is None or abs(now - at) < 64800 else "%Y-%m-%d %H:%M:%S")


# ---- the rest


def _keys() -> Iterable[Text]:
    width = max(len(key) for key, _ in KEYS)
    return [Text.assemble((f"  {key.ljust(width)}", "bold"), f"  {does}") for key, does in KEYS]


def _foot(status: AgentStatus, view: View, below: int, width: int) -> Text:
    """How much is well stays on the screen, whatever scrolls."""
    names = {"ovs": "OVS", "ovn": "OVN"}
    versions = [f"{names.get(product, product)} {version}" for product, version in status.versions.items()]
    right = f"{below} more below, {FOR_KEYS}" if below > 0 else FOR_KEYS
    folded = f"{'▾' if view.unfolded else '▸'} {counted(divided(status.checks)[1])}"
    left = Text("  ".join([folded, status.node, *versions]), "dim")
    left.truncate(max(width - len(right) - 2, 0), overflow="ellipsis", pad=True)
    return left.append(f"  {right}", "dim")

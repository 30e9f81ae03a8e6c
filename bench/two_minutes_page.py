"""What ``bench.two_minutes`` has found, and what the page says of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
from matplotlib.figure import Figure

from bench.suites import INSTALLED, generation, with_suite
from ovsnet.bench.cells import seconds as spread
from ovsnet.bench.machine import Machine

HERE = Path(__file__).parent
NAME = "two-minutes"
"""Of the mark in the page, and of the files."""

SWITCH, DATABASE, CONTROLLER = "ovs-vswitchd", "ovsdb-server", "ovn-controller"

LIMIT = 300.0
"""Seconds of a cluster after which a round is given up: a start that was killed twice goes on so."""

SLOW = 100.0
"""Seconds of a cluster for which a cause holds a daemon up. Kube-OVN's liveness gives a start 80."""

KUBE_OVN, OVSNET = "Kube-OVN's probes", "ovsnet's probes"


@dataclass(frozen=True, slots=True)
class Cause:
    """What is slow, for how many ``seconds`` of a cluster. ``held`` is stopped for as long right after it has started;
    so many ``clients`` hammer br-int.mgmt meanwhile; ``southbound`` is away for as long."""

    key: str
    title: str
    held: str = ""
    clients: int = 0
    southbound: bool = False
    seconds: float = SLOW


CAUSES = (
    Cause("none", "nothing is slow"),
    Cause("switch", f"the switch is held up for {SLOW:g} s: a module, ports, cores", held=SWITCH),
    Cause("database", f"ovsdb-server is held up for {SLOW:g} s: a disk, a compaction", held=DATABASE),
    Cause("southbound", f"the southbound is away for {SLOW:g} s", southbound=True),
    Cause("race", "1000 clients hammer br-int.mgmt", clients=1000),
)


class Round(msgspec.Struct, kw_only=True):
    """One start. Times are seconds of a cluster from the first start of the container: ``serves`` is when the flows
    were in the switch, ``ready`` when the kubelet found it ready; None where that did not come within the limit."""

    cause: str
    probes: str
    number: int
    starts: list[float] = []
    kills: list[float] = []
    serves: float | None = None
    ready: float | None = None
    problem: str = ""


class Story(msgspec.Struct, kw_only=True):
    """All rounds, and what is needed to judge them. ``times`` is how many times as long everything took; ``versions``
    are those of the daemons, which ``suite`` chose."""

    began: str
    machine: Machine
    suite: str = INSTALLED
    versions: dict[str, str] = {}
    times: float = 1.0
    limit: float = LIMIT
    rounds: list[Round] = []
    doubts: list[str] = []


def content(story: Story) -> Iterator[str]:
    """What the page says of it, in Markdown."""
    if story.times != 1:
        yield f"**A short look: all times of the cluster were {story.times:g} times as long. Not to be quoted.**\n"
    yield "| what is slow | probes | rounds | killed | flows are in, s | ready, s |"
    yield "|---|---|---|---|---|---|"
    for cause in CAUSES:
        for which in (KUBE_OVN, OVSNET):
            if rounds := [each for each in story.rounds if (each.cause, each.probes) == (cause.key, which)]:
                yield (
                    f"| {cause.title} | {which} | {len(rounds)} | {_kills(rounds)} | "
                    f"{_moments(story, [each.serves for each in rounds])} | "
                    f"{_moments(story, [each.ready for each in rounds])} |"
                )
    yield ""
    yield f"![What a start takes under either probes, {story.suite}]({picture(story).name})"
    yield ""
    yield from (f"* {verdict}" for verdict in (*verdicts(story), *too_early(story)))
    yield ""
    yield f"{generation(story.versions)}. {story.began}, {story.machine}."
    yield from (f"\n**Not as wanted:** {why}" for why in (*story.doubts, *problems(story)))


def verdicts(story: Story) -> Iterator[str]:
    """Of each cause, whether Kube-OVN's probes loop: killed twice or more, and not ready at the end."""
    for cause in CAUSES:
        rounds = [each for each in story.rounds if (each.cause, each.probes) == (cause.key, KUBE_OVN)]
        if not rounds:
            continue
        looped = sum(len(each.kills) > 1 and each.ready is None for each in rounds)
        killed = sum(bool(each.kills) for each in rounds)
        if looped:
            yield f"**{cause.title}: a kill loop** in {looped} of {len(rounds)} rounds."
        elif killed:
            yield f"{cause.title}: killed in {killed} of {len(rounds)} rounds, and no loop."
        else:
            yield f"{cause.title}: no kill in {len(rounds)} rounds: refuted as a cause of one."


TOO_EARLY = 2.0
"""Seconds: readiness that comes so much before the flows is told to the cluster for nothing."""


def too_early(story: Story) -> Iterator[str]:
    """Where probes said ready of a node that forwarded nothing yet."""
    for cause in CAUSES:
        for which in (KUBE_OVN, OVSNET):
            rounds = [each for each in story.rounds if (each.cause, each.probes) == (cause.key, which)]
            gaps = [(each.serves or story.limit) - each.ready for each in rounds if each.ready is not None]
            if early := [gap for gap in gaps if gap > TOO_EARLY]:
                yield (
                    f"{cause.title}: under {which} ready {spread(early)} s before the flows are in, in {len(early)} of "
                    f"{len(rounds)} rounds."
                )


def problems(story: Story) -> list[str]:
    """What kept a round from being played."""
    return list(dict.fromkeys(each.problem for each in story.rounds if each.problem))


def _kills(rounds: Sequence[Round]) -> str:
    counts = sorted({len(each.kills) for each in rounds})
    first = [each.kills[0] for each in rounds if each.kills]
    often = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
    times = "once" if often == "1" else f"{often} times, first"
    return f"{times} after {spread(first)} s" if first else "never"


def _moments(story: Story, found: Sequence[float | None]) -> str:
    known = [each for each in found if each is not None]
    missing = len(found) - len(known)
    parts = [spread(known)] if known else []
    return ", ".join([*parts, *([f"not within {story.limit:g} s: {missing}"] if missing else [])])


def picture(story: Story) -> Path:
    """The file of its plot."""
    return HERE / f"{with_suite(NAME, story.suite)}.png"


def draw(story: Story) -> None:
    """A line for each cause and probes: from the start until its flows were in, with the kills and the readiness."""
    played = {(each.cause, each.probes) for each in story.rounds}
    rows = [(cause, which) for cause in CAUSES for which in (KUBE_OVN, OVSNET) if (cause.key, which) in played]
    figure = Figure(figsize=(11, 1.5 + 0.45 * len(rows)), layout="constrained")
    axes = figure.subplots()
    for row, (cause, which) in enumerate(rows):
        color = "C3" if which == KUBE_OVN else "C0"
        for each in (each for each in story.rounds if (each.cause, each.probes) == (cause.key, which)):
            end = story.limit if each.serves is None else each.serves
            axes.plot([0, end], [row, row], color=color, alpha=0.4, linewidth=5, solid_capstyle="butt")
            axes.plot(each.kills, [row] * len(each.kills), "x", color="black")
            if each.ready is not None:
                axes.plot(each.ready, row, "D", color=color)
    axes.set_yticks(range(len(rows)), [f"{cause.title}: {which}" for cause, which in rows])
    axes.invert_yaxis()
    axes.set_xlim(0, story.limit)
    axes.set_xlabel("seconds until the flows are in; diamond: ready, cross: killed")
    axes.grid(visible=True, axis="x", alpha=0.3)
    figure.savefig(picture(story), dpi=80, metadata={"Software": None})

"""The matrix for people: a line for each row as it comes, a summary, and ``docs/matrix.md``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.matrix.row import Generation, Row, Said
from tests.matrix.scripts import TOOLS

OBSERVERS = ("held", "start", "fresh", "check")


def told(row: Row, suite: str) -> str:
    """One line; for a row that is wrong, what each observer said, with the evidence."""
    head = f"{_verdict(row):8} {row.kind:6} {row.name}  ({row.seconds:.0f} s)"
    if row.right or row.skipped:
        return f"{head} {row.skipped}".rstrip()
    lines = [head, f"  right: {' or '.join(row.codes)}, {row.state}", *(f"  {each}" for each in row.wrong)]
    for said in row.said:
        mark = "; ".join(said.wrong) or "right"
        lines.append(f"  {said.observer}: {said.code or '-'} ({said.state}, exit {said.exit_code}): {mark}")
        lines += [f"    shown: {' '.join(said.shown)}"] if said.wrong and said.shown else []
        lines += [f"    {each}" for each in said.evidence[:4]] if said.wrong else []
    lines.append(f"  the same again: python -m tests.matrix --suite {suite} --only '{row.name}'")
    return "\n".join(lines)


def _verdict(row: Row) -> str:
    if row.skipped:
        return "skipped"
    return "right" if row.right else "WRONG"


def summary(rows: Iterable[Row]) -> str:
    """How many rows were right, by kind, and what must not be."""
    ran = [row for row in rows if not row.skipped]
    parts = []
    for kind, plural in (("single", "singles"), ("long", "forty seconds"), ("pair", "pairs")):
        of_kind = [row for row in ran if row.kind == kind]
        parts.append(f"{plural}: right {sum(row.right for row in of_kind)} of {len(of_kind)}")
    disagreements = sum(row.disagree for row in ran)
    parts += [f"disagreements: {disagreements}", f"liveness without proof: {sum(row.unproven for row in ran)}"]
    return "; ".join(parts)


def page(generations: Sequence[Generation], seed: int) -> str:
    """``docs/matrix.md``."""
    head = generations[0]
    rows = [row for generation in generations for row in generation.rows]
    others = generations[1:]
    lines = [
        "# What each observer says of each fault",
        "",
        "Written by `make matrix`. Each fault of `tests/faults/` is brought about on a real node, and its verdict is",
        "held against the code that is right. *held* is an agent that was there before, *start* one whose own start",
        "the fault hits, *fresh* one that started within it, *check* a one-shot `ovsnet check`. A figure is how many",
        "seconds after the fault the right code was there to stay (for *check*: how long it took); a code in bold is",
        "a wrong one. Each fault also comes for 0.7 s, and those of which `/ovs/livez` must fail for 40 s with default",
        "settings. The next columns are the commands of Kube-OVN's `ovs-healthcheck.sh`, of ovn-kubernetes' readiness",
        "probe, and what the `ovs_up` of ovs_exporter asks.",
        "",
        *(f"* {each.suite}: {each.versions}" for each in generations),
        "",
        f"{summary(rows)} (seed {seed}).",
    ]
    if again := sorted({row.name for row in rows if row.again}):
        lines += ["", f"Taken again by themselves, after the whole run: {', '.join(again)}."]
    for kind, title in (("single", "Single faults"), ("long", "Forty seconds"), ("pair", "Two at once")):
        lines += ["", f"## {title}", "", *_table([row for row in head.rows if row.kind == kind], others)]
    return "\n".join(lines) + "\n"


COMPARED = (
    "vswitchd-killed", "vswitchd-frozen", "ovsdb-frozen", "controller-frozen", "controller-paused", "flows-deleted",
    "bridge-socket-moved", "datapath-type-unknown", "southbound-frozen", "ovn-encap-ip-unset", "ovsdb-disk-full",
    "ports-of-pods-that-went", "tunnel-that-cannot-be-made", "tunnel-address-of-another-host",
    "bridge-mapped-that-is-not-there",
)  # fmt: skip
"""The faults that the README shows."""

BEGIN, END = "<!-- others: begin -->\n", "<!-- others: end -->"


def compared(text: str, rows: Sequence[Row]) -> str:
    """``text`` with its table of what today's tools say rewritten from the rows."""
    before, _, rest = text.partition(BEGIN)
    lines = [f"| fault | {' | '.join(TOOLS)} | ovsnet |", f"|{' --- |' * (len(TOOLS) + 2)}"]
    for name in COMPARED:
        for row in rows:
            if (row.name, row.kind) == (name, "single") and not row.skipped:
                theirs = [row.scripts.get(tool, "") for tool in TOOLS]
                said = " or ".join(f"`{code}`" for code in row.codes)
                lines.append(f"| {' | '.join([row.about, *theirs, f'{said}, {row.state}'])} |")
    return before + BEGIN + "\n".join(lines) + "\n" + END + rest.partition(END)[2]


def _table(rows: Sequence[Row], others: Sequence[Generation]) -> list[str]:
    titles = ["fault", "right", *OBSERVERS, *TOOLS, *(each.suite for each in others)]
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for row in rows:
        said = {each.observer: each for each in row.said}
        cells = [f"`{row.name}`<br>{row.about}", f"{' or '.join(row.codes)}, {row.state}"]
        cells += [_cell(said.get(observer)) for observer in OBSERVERS]
        cells += [row.scripts.get(tool, "") for tool in TOOLS]
        cells += [_elsewhere(row, other) for other in others]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _cell(said: Said | None) -> str:
    if said is None:
        return ""
    seconds = "" if said.seconds is None else f"{said.seconds:.1f}"
    return f"**{said.code or 'nothing'}**" if said.wrong else seconds


def _elsewhere(row: Row, other: Generation) -> str:
    """What is different on another generation."""
    found = next((each for each in other.rows if (each.name, each.kind) == (row.name, row.kind)), None)
    if found is None or found.skipped:
        return "not run"
    if found.right:
        return "right"
    return (
        "; ".join(f"{said.observer} **{said.code or 'nothing'}**" for said in found.said if said.wrong) or "**wrong**"
    )

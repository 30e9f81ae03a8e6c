"""The parts of pages that measurements rewrite, between their marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.suites import generation
from ovsnet.bench.cells import ENOUGH
from ovsnet.bench.result import Document

README = Path(__file__).parent / "README.md"


def replaced(text: str, key: str, content: str) -> str:
    """``text`` with ``content`` between the marks of ``key``."""
    begin, end = f"<!-- {key} -->\n", f"\n<!-- /{key} -->"
    before, found, rest = text.partition(begin)
    if not found or end not in rest:
        raise SystemExit(f"The page lacks the marks of {key}.")
    return before + begin + content + end + rest.partition(end)[2]


def platform(document: Document) -> Iterator[str]:
    """On what, how often, when and where it was measured, and what was not as wanted."""
    counts = sorted({len(runs) for runs in document.named().values()})
    often = " to ".join(map(str, (counts[0], counts[-1]) if len(counts) > 1 else counts))
    yield f"{generation(document.versions)}; n = {often}. {document.began}, {document.machines[0]}."
    yield from (f"\n**Not as wanted:** {problem}" for problem in document.problems)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median and the slowest of ten and more. Of fewer, which have no median to quote, from the fastest to the
    slowest."""
    low, high = f"{min(values):.{digits}f}", f"{max(values):.{digits}f}"
    if len(values) >= ENOUGH:
        return f"{median(values):.{digits}f} ({high})"
    return high if low == high else f"{low} to {high}"

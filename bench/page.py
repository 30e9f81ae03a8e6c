"""The parts of ``bench/README.md`` that measurements rewrite, between their marks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ovsnet.bench.result import Document

README = Path(__file__).parent / "README.md"


def replaced(text: str, key: str, content: str) -> str:
    """``text`` with ``content`` between the marks of ``key``."""
    begin, end = f"<!-- {key} -->\n", f"\n<!-- /{key} -->"
    before, found, rest = text.partition(begin)
    if not found or end not in rest:
        raise SystemExit(f"bench/README.md lacks the marks of {key}.")
    return before + begin + content + end + rest.partition(end)[2]


def platform(document: Document) -> Iterator[str]:
    """When, where, and what was not as wanted."""
    yield f"{document.began}, {document.machines[0]}."
    yield from (f"\n**Not as wanted:** {problem}" for problem in document.problems)

"""Sections of ``bench/README.md`` that are measured one by one, each kept in a file of its own in ``bench/results``."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from bench.page import README, platform, replaced
from ovsnet.bench.files import encode, read
from ovsnet.bench.machine import this_machine
from ovsnet.bench.result import Document
from ovsnet.bench.rounds import Announce

WRITE = "write"
"""The word that measures nothing, and writes the page."""


class Section(Protocol):
    """One part of the page."""

    @property
    def key(self) -> str:
        """Its name on the command line."""
        ...

    @property
    def mark(self) -> str:
        """Its name in the README, where it is written between two marks."""
        ...

    @property
    def results(self) -> Path:
        """The file with all that was measured."""
        ...

    async def measure(self, document: Document, announce: Announce) -> None:
        """Fill the document."""
        ...

    def content(self, document: Document) -> Sequence[str]:
        """What the README says of it, in Markdown."""
        ...


def main(program: str, sections: Sequence[Section], words: Sequence[str]) -> list[str]:
    """Measure the sections that are named, or all, and write the page. Returns the problems of all that it shows."""
    logging.getLogger("ovsnet").disabled = True
    known = {section.key: section for section in sections}
    if unknown := set(words) - set(known) - {WRITE}:
        raise SystemExit(f"There is no section {', '.join(unknown)}; there are {', '.join(known)}, and {WRITE}.")
    for key in [] if WRITE in words else words or known:
        document = Document(
            command=f"python -m {program} {key}",
            began=datetime.now(UTC).isoformat(timespec="seconds"),
            machines=[this_machine()],
        )
        asyncio.run(known[key].measure(document, _stopwatch(key)))
        known[key].results.write_bytes(encode(document))
    return write(sections)


def _stopwatch(key: str) -> Announce:
    """Says on stderr what takes long."""
    began = time.monotonic()

    def announce(title: str, total: int) -> None:
        print(f"{key}: {time.monotonic() - began:4.0f} s  {title}", file=sys.stderr, flush=True)

    return announce


def write(sections: Sequence[Section]) -> list[str]:
    """The tables and plots of all that was measured, between their marks in the README. Returns the problems."""
    text, problems = README.read_text(), []
    for section in sections:
        if section.results.exists():
            document = read(section.results)
            problems += document.problems
            text = replaced(text, section.mark, "\n".join([*section.content(document), *platform(document)]))
    README.write_text(text)
    return problems

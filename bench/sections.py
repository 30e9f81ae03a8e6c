"""Sections of pages that are measured one by one, each kept in a file of its own in ``bench/results``."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from bench.page import platform, replaced
from bench.runner import versions
from bench.suites import INSTALLED, RESULTS, SUITES, on_suite, with_suite
from ovsnet.bench.files import encode, read
from ovsnet.bench.machine import this_machine
from ovsnet.bench.result import Document
from ovsnet.bench.rounds import Announce
from ovsnet.errors import OvsnetError

WRITE = "write"
"""The word that measures nothing, and writes the page."""


class Section(Protocol):
    """One part of a page."""

    @property
    def key(self) -> str:
        """Its name on the command line."""
        ...

    @property
    def mark(self) -> str:
        """Its name in the page, where it is written between two marks."""
        ...

    @property
    def stem(self) -> str:
        """The beginning of the names of its files."""
        ...

    @property
    def page(self) -> Path:
        """Where it is written."""
        ...

    @property
    def rounds(self) -> int:
        """How often it is measured unless told otherwise."""
        ...

    @property
    def seconds(self) -> float:
        """What a round takes on two cores, about."""
        ...

    async def measure(self, document: Document, announce: Announce, rounds: int) -> None:
        """Fill the document."""
        ...

    def content(self, kept: Mapping[str, Document]) -> Sequence[str]:
        """What the page says of all that was measured, by suite, in Markdown."""
        ...


def results(section: Section, suite: str) -> Path:
    """The file with all that was measured on ``suite``."""
    return RESULTS / f"{with_suite(section.stem, suite)}.json"


def main(program: str, sections: Sequence[Section], words: Sequence[str]) -> list[str]:
    """Measure the sections that are named, or all, and write the page. Returns the problems of all that it shows."""
    chosen = arguments(program, sections, words)
    logging.getLogger("ovsnet").disabled = True
    known = {section.key: section for section in sections}
    for suite in [] if WRITE in chosen.what else chosen.suite or [INSTALLED]:
        for key in chosen.what or known:
            try:
                with on_suite(suite):
                    document = measured(program, known[key], suite, chosen.rounds)
            except OvsnetError as error:
                raise SystemExit(f"{key} on {suite}: {error} {error.remedy}".rstrip()) from None
            results(known[key], suite).write_bytes(encode(document))
    return write(sections)


def arguments(program: str, sections: Sequence[Section], words: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Measure sections of a page, keep all samples in bench/results, and write the page.",
        epilog="\n".join(budget(sections)),
    )
    parser.add_argument("what", nargs="*", metavar="SECTION", help=f"sections to measure; {WRITE}: only write the page")
    parser.add_argument(
        "--suite", action="append", choices=SUITES, help="Open vSwitch and OVN to measure; repeat for several"
    )
    parser.add_argument("--rounds", type=int, help="instead of those below; of fewer than ten no median is quoted")
    chosen = parser.parse_args(words)
    if unknown := set(chosen.what) - {section.key for section in sections} - {WRITE}:
        parser.error(f"there is no section {', '.join(unknown)}")
    return chosen


def budget(sections: Sequence[Section]) -> Iterator[str]:
    """How long it takes, section by section."""
    yield "What a suite takes, on two cores that do nothing else:"
    for section in sections:
        minutes = section.rounds * section.seconds / 60
        yield f"  {section.key:14} {section.rounds:3} rounds of {section.seconds:4.0f} s, {minutes:3.0f} min"
    total = sum(section.rounds * section.seconds for section in sections) / 60
    yield f"  {'all':14} {total:3.0f} min; {total * len(SUITES) / 60:.1f} h on {', '.join(SUITES)}"


def measured(program: str, section: Section, suite: str, rounds: int | None) -> Document:
    """A section on the programs that PATH leads to."""
    document = Document(
        command=f"python -m {program} {section.key} --suite {suite}",
        began=datetime.now(UTC).isoformat(timespec="seconds"),
        machines=[this_machine()],
        versions=versions(),
    )
    asyncio.run(section.measure(document, _stopwatch(f"{section.key}, {suite}"), rounds or section.rounds))
    return document


def _stopwatch(key: str) -> Announce:
    """Says on stderr what takes long."""
    began = time.monotonic()

    def announce(title: str, total: int) -> None:
        print(f"{key}: {time.monotonic() - began:4.0f} s  {title}", file=sys.stderr, flush=True)

    return announce


def write(sections: Sequence[Section]) -> list[str]:
    """The tables and plots of all that was measured, between their marks in the pages. Returns the problems."""
    problems: list[str] = []
    for section in sections:
        files = {suite: results(section, suite) for suite in SUITES}
        kept = {suite: read(path) for suite, path in files.items() if path.exists()}
        if not kept:
            continue
        where = [line for document in kept.values() for line in ("", *platform(document))][1:]
        text = "\n".join([*section.content(kept), *where])
        section.page.write_text(replaced(section.page.read_text(), section.mark, text))
        problems += [problem for document in kept.values() for problem in document.problems]
    return problems

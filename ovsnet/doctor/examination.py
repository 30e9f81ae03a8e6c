"""How an examination is declared, and how all of them are made.

    @examination("kernel.ipv6", may_be_fatal=True)
    def ipv6(host: Host, live: Live) -> Iterator[Finding]:
        \"\"\"Kernel 3.10 has IPv6, which its geneve needs.\"\"\"
        ...

That is all there is to adding one. It reads through the ``Host``, asks ``Live``, and lets UnfitEnvironment pass: what
could not be seen becomes a finding of its own, in one way for all. A finding that ``--fix`` can repair carries its fix:
``warning("...", "...", fix=LoadModule("geneve"))``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future

import msgspec
from msgspec.structs import replace

from ovsnet.doctor.finding import Finding, Severity, unseen
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.texts import for_line

Examine = Callable[[Host, Live], Iterable[Finding]]

PATIENCE = 3.0
"""Seconds for one examination: a file system whose server is gone never lets a reader go."""

IN_ALL = 20.0
"""Seconds for all of them: a start of Open vSwitch waits for the doctor."""

IS_SLOW = "See what hangs (`dmesg`, `df`), then run ovsnet doctor again."

SEE_MORE = "Run ovsnet doctor as root on the host itself."


class Examination(msgspec.Struct, frozen=True):
    """One declared examination. ``fact`` is what should hold."""

    code: str
    fact: str
    examine: Examine
    may_be_fatal: bool

    @property
    def worst(self) -> Severity:
        """The worst finding it can have."""
        return Severity.FATAL if self.may_be_fatal else Severity.WARNING

    def findings(self, host: Host, live: Live) -> Iterator[Finding]:
        """Examine once. Raises nothing: what cannot be seen is a finding, after those that were."""
        try:
            for finding in self.examine(host, live):
                yield self._said(finding)
        except UnfitEnvironment as error:
            yield self._said(unseen(str(error), error.remedy or SEE_MORE))

    def _said(self, finding: Finding) -> Finding:
        evidence = tuple(map(for_line, finding.evidence))
        summary, remedy = for_line(finding.summary), for_line(finding.remedy)
        return replace(finding, code=self.code, summary=summary, remedy=remedy, evidence=evidence)


EXAMINATIONS: dict[str, Examination] = {}
"""All examinations by code, in order of declaration."""


def examination(code: str, *, may_be_fatal: bool = False) -> Callable[[Examine], Examine]:
    """Declare an examination. The first line of the function's docstring is the fact that should hold."""

    def declare(function: Examine) -> Examine:
        assert code not in EXAMINATIONS
        fact = (function.__doc__ or "").strip().partition("\n")[0]
        EXAMINATIONS[code] = Examination(code, fact, function, may_be_fatal)
        return function

    return declare


def examine(host: Host, live: Live | None = None) -> list[Finding]:
    """Make every examination, in ``IN_ALL`` seconds at most; the worst findings come first. Raises nothing."""
    live = live or Live()
    until = time.monotonic() + IN_ALL
    found = [
        finding
        for each in EXAMINATIONS.values()
        for finding in _within(min(PATIENCE, until - time.monotonic()), each, host, live)
    ]
    return sorted(found, key=lambda finding: finding.severity.rank)


def _within(seconds: float, examination: Examination, host: Host, live: Live) -> list[Finding]:
    """What it finds in so many seconds. A thread that is late is left behind, and ends with the process."""
    found: Future[list[Finding]] = Future()

    def work() -> None:
        try:
            found.set_result(list(examination.findings(host, live)))
        except BaseException as error:
            found.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        return found.result(max(seconds, 0.0))
    except TimeoutError:
        late = unseen("It took too long to look: a file system, or the whole host, is very slow.", IS_SLOW)
        return [replace(late, code=examination.code)]


def fatal_findings(host: Host, live: Live | None = None) -> list[Finding]:
    """What makes Open vSwitch impossible here; only the examinations that can be fatal are made.

    A few file reads while the modules are loaded. Without ``live.database`` a missing module is never fatal: nobody
    knows then whether a bridge needs it. Raises nothing.
    """
    live = live or Live()
    found = [each for one in EXAMINATIONS.values() if one.may_be_fatal for each in one.findings(host, live)]
    return [finding for finding in found if finding.severity is Severity.FATAL]

"""What an examination says: how bad it is, what is, what to do, and what that rests on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """In order, the worst first.

    ``fatal``: Open vSwitch cannot work here. ``warning``: it works, or seems to, and will hurt. ``unseen``: this user
    or this container may not see. ``note``: worth knowing, nothing is wrong. ``ok``: as it should be.
    """

    FATAL = "fatal"
    WARNING = "warning"
    UNSEEN = "unseen"
    NOTE = "note"
    OK = "ok"

    @property
    def matters(self) -> bool:
        """True when the doctor's exit code shall say so."""
        return self in (Severity.FATAL, Severity.WARNING)

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """``code`` is the examination's name, which ``examine`` adds. ``mendable``: ``--fix`` has a safe step for it."""

    severity: Severity
    summary: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    mendable: bool = False
    code: str = ""


def ok(summary: str, *evidence: str) -> Finding:
    """All is as it should be."""
    return Finding(Severity.OK, summary, "", evidence)


def note(summary: str, remedy: str, *evidence: str, mendable: bool = False) -> Finding:
    """Worth knowing."""
    return Finding(Severity.NOTE, summary, remedy, evidence, mendable)


def warning(summary: str, remedy: str, *evidence: str, mendable: bool = False) -> Finding:
    """It will hurt."""
    return Finding(Severity.WARNING, summary, remedy, evidence, mendable)


def fatal(summary: str, remedy: str, *evidence: str) -> Finding:
    """Open vSwitch cannot work here."""
    return Finding(Severity.FATAL, summary, remedy, evidence)


def unseen(summary: str, remedy: str, *evidence: str) -> Finding:
    """Nobody can tell from here."""
    return Finding(Severity.UNSEEN, summary, remedy, evidence)

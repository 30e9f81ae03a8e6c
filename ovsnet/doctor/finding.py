"""What an examination says: how bad it is, what is, what to do, what that rests on, and how ``--fix`` would fix it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


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


class Repair(msgspec.Struct, frozen=True):
    """What a fix did, made by ``repaired`` or ``refused``. ``undo`` is a shell command, ``why`` a sentence."""

    what: str
    done: bool
    undo: str = ""
    why: str = ""


def repaired(what: str, undo: str) -> Repair:
    """It was done, and ``undo`` takes it back: a fix that cannot be undone is not a fix for ``--fix``."""
    return Repair(what, True, undo)


def refused(what: str, why: str, undo: str = "") -> Repair:
    """It could not be done; ``undo`` takes back what was done until then, if anything was."""
    return Repair(what, False, undo, why)


class Fix(Protocol):
    """Repairs the running host. It can be undone, raises nothing, and touches nothing that is already there."""

    def __call__(self) -> Repair: ...


class Finding(msgspec.Struct, frozen=True):
    """``code`` is the examination's name, which ``examine`` adds. ``fix`` is what ``--fix`` does about it."""

    severity: Severity
    summary: str
    remedy: str = ""
    evidence: tuple[str, ...] = ()
    fix: Fix | None = None
    code: str = ""


def ok(summary: str, *evidence: str) -> Finding:
    """All is as it should be."""
    return Finding(Severity.OK, summary, "", evidence)


def note(summary: str, remedy: str, *evidence: str, fix: Fix | None = None) -> Finding:
    """Worth knowing."""
    return Finding(Severity.NOTE, summary, remedy, evidence, fix)


def warning(summary: str, remedy: str, *evidence: str, fix: Fix | None = None) -> Finding:
    """It will hurt."""
    return Finding(Severity.WARNING, summary, remedy, evidence, fix)


def fatal(summary: str, remedy: str, *evidence: str) -> Finding:
    """Open vSwitch cannot work here."""
    return Finding(Severity.FATAL, summary, remedy, evidence)


def unseen(summary: str, remedy: str, *evidence: str) -> Finding:
    """It cannot be known from here."""
    return Finding(Severity.UNSEEN, summary, remedy, evidence)

"""What was found: starts with the parts of their time, outages with root and consequences. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from ovsnet.explain.event import Event


class Sure(StrEnum):
    """How sure a verdict is."""

    CERTAIN = "certain"
    """The daemon's own lines say so."""
    LIKELY = "likely"
    """Its peers' lines say so, or its own say what fits nothing else."""
    POSSIBLE = "possible"
    """One peer's lines say so, and its own log is missing."""


class Part(msgspec.Struct, frozen=True):
    """A part of a start's time: what was waited for, and why. ``cause`` is one word for tables and programs."""

    cause: str
    began: float
    ended: float
    words: str
    proof: Sequence[Event] = ()

    @property
    def seconds(self) -> float:
        """How long it was."""
        return self.ended - self.began


class Start(msgspec.Struct):
    """One start of a node's daemons, until flows could be installed. ``ended`` None: that is not in the lines.

    ``unseen``: seconds that ovn-controller may have computed after ``ended`` without a line that shows it.
    """

    node: str
    daemons: Sequence[str]
    began: float
    ended: float | None
    stages: Sequence[tuple[str, float]]
    parts: Sequence[Part]
    why: str
    faster: Sequence[str] = ()
    missing: str = ""
    unseen: float = 0.0

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return None if self.ended is None else self.ended - self.began

    @property
    def uncertain(self) -> str:
        """How much later it may have ended; "" where the lines show it."""
        if not self.unseen:
            return ""
        installed = f"The flows may have been installed up to {self.unseen:g} s later"
        return f"{installed}: no daemon logs iterations shorter than a second."

    def share(self, cause: str) -> float:
        """The seconds that went to one cause, such as ``backoff``; ``backoff-database`` counts as that, too."""
        return sum(part.seconds for part in self.parts if part.cause == cause or part.cause.startswith(f"{cause}-"))


class Effect(msgspec.Struct, frozen=True):
    """What followed from a root."""

    at: float
    words: str
    proof: Sequence[Event]
    code: str = ""


class Outage(msgspec.Struct):
    """Something that was wrong for a time. ``code`` is the one that a live agent would have given. ``passing``: too
    short to be the reason for what lasted longer."""

    code: str
    node: str
    daemon: str
    began: float
    ended: float | None
    words: str
    proof: Sequence[Event]
    sure: Sure
    surer: str = ""
    remedy: str = ""
    passing: bool = False
    effects: list[Effect] = msgspec.field(default_factory=list)

    @property
    def seconds(self) -> float | None:
        """How long it lasted."""
        return None if self.ended is None else self.ended - self.began


class Note(msgspec.Struct, frozen=True):
    """What makes the answer less sure: lines that are missing, clocks that jumped, files that end early."""

    words: str
    place: str = ""


def sentence(words: str) -> str:
    """``words`` as a sentence; names of daemons, codes and addresses stay as they are."""
    word = words.partition(" ")[0]
    first = words[:1] if "-" in word or ":" in word else words[:1].upper()
    return first + words[1:] + ("" if words.endswith((".", "!", "?")) else ".")

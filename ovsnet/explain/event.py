"""A line that counts. Pure."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

UNKNOWN = "unknown"


class Source(msgspec.Struct):
    """One stream of lines: a file, a member of an archive, or one daemon within a journal.

    ``daemon`` is what its own lines say it is; ``cut`` says why it ends before its end.
    """

    name: str
    daemon: str = UNKNOWN
    node: str = ""
    host: str = ""
    version: str = ""
    opened: str = ""
    first: float | None = None
    last: float | None = None
    lines: int = 0
    zoned: bool = True
    cut: str = ""


class Event(msgspec.Struct):
    """One line: what kind, when, who, about what, and where it stands. ``repeated`` counts like ones not kept."""

    kind: str
    at: float
    source: Source
    line: int
    text: str
    thread: str = ""
    said: Mapping[str, str] = msgspec.field(default_factory=dict)
    repeated: int = 0
    order: int = 0

    @property
    def subject(self) -> str:
        """Whom or what the line is about."""
        return self.said.get("subject", "")

    def number(self, name: str) -> float:
        """A number that the line names; 0 where it names none."""
        try:
            return float(self.said.get(name) or 0)
        except ValueError:
            return 0.0

    @property
    def place(self) -> str:
        """``file:line``."""
        return f"{self.source.name}:{self.line}"

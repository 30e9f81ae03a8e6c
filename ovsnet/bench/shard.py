"""One part of a bench that several machines run at the same time. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

from ovsnet.deadlines import NOW
from ovsnet.errors import UsageError


class Shard(msgspec.Struct, frozen=True):
    """Part ``number`` of ``of``, counted from 1."""

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """``2/5``, or ``1+1/5`` where the first is 0. Raises UsageError."""
        found = re.fullmatch(r"([0-9]{1,6})(\+1)?/([0-9]{1,6})", text)
        number = int(found[1]) + bool(found[2]) if found else 0
        if found is None or not 1 <= number <= int(found[3]):
            raise UsageError(f"{text!r} is not a shard.", remedy="Write I/N with I from 1 to N, such as 1/3.")
        return cls(number, int(found[3]))

    def part(self, whole: int) -> int:
        """Our part of so many; the parts of all shards add up to the whole."""
        return whole // self.of + (self.number <= whole % self.of)

    def require_parts(self, **wholes: int) -> None:
        """Raise UsageError, which names the option, when some shard would have nothing to do."""
        for option, whole in wholes.items():
            if whole < self.of:
                raise UsageError(
                    f"--{option} {whole} cannot be divided among {self.of} shards.",
                    remedy="Raise it, or use fewer shards.",
                )

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def parse_moment(text: str) -> float | None:
    """A Unix time, or one in ISO 8601 (UTC unless it names its zone), in Unix time; None for ``NOW``. Raises
    UsageError."""
    if text == NOW:
        return None
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is not a time.", remedy="Write a Unix time, or ISO 8601 such as 2026-11-23T10:00:00+00:00."
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()

"""What a run counts and times. Pure.

Each kind of run declares its own ``Measures``; tables, reports, comparisons and sums follow from the types of the
fields. Only what adds up is kept: counts, histograms, samples. Rates and shares follow from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

import msgspec

from ovsnet.bench.histogram import Histogram
from ovsnet.node.histogram import merged

Tally = dict[str, int]
"""How often, by errno or another name that is only known when it happens."""


class Measures(msgspec.Struct, kw_only=True):
    """``done`` and ``lost`` are operations that succeeded and failed.

    A field is an ``int``, a ``Tally``, a ``Histogram`` of nanoseconds, a list of seconds, other ``Measures``, or None
    for what could not be known.
    """

    titles: ClassVar[Mapping[str, str]] = {}
    """Titles of the fields whose title is not their name."""

    done: int = 0
    lost: int = 0

    @classmethod
    def title(cls, field: str) -> str:
        """What a person reads."""
        return cls.titles.get(field, field.replace("_", " "))

    def counts(self) -> Iterator[tuple[str, int]]:
        """Everything that was counted at least once, with its title."""
        for field, value in self._fields():
            match value:
                case int() if value:
                    yield self.title(field), value
                case Measures():
                    yield from ((f"{self.title(field)} {what}", times) for what, times in value.counts())
                case dict():
                    yield from ((f"{self.title(field)} {what}", times) for what, times in value.items())

    def histograms(self) -> Iterator[tuple[str, Histogram]]:
        """Those that hold a value, by field."""
        yield from ((field, value) for field, value in self._fields() if isinstance(value, Histogram) and value.counts)

    def samples(self) -> Iterator[tuple[str, list[float]]]:
        """Those that hold a value, by field."""
        yield from ((field, value) for field, value in self._fields() if isinstance(value, list) and value)

    def _fields(self) -> Iterator[tuple[str, Any]]:
        yield from ((field, getattr(self, field)) for field in self.__struct_fields__)

    @classmethod
    def added(cls, parts: Iterable[Self]) -> Self:
        """All of them as if one had measured everything."""
        every = list(parts)
        sums: dict[str, Any] = {
            field: _sum([getattr(part, field) for part in every]) for field in cls.__struct_fields__
        }
        return cls(**sums)


AnyMeasures = TypeVar("AnyMeasures", bound=Measures)


def _sum(values: Sequence[Any]) -> object:
    known = [value for value in values if value is not None]
    match known:
        case []:
            return None
        case [int(), *_]:
            return sum(known)
        case [Histogram(), *_]:
            return merged(Histogram, known)
        case [list(), *_]:
            return [value for part in known for value in part]
        case [Measures() as first, *_]:
            return type(first).added(known)
        case _:
            return {what: sum(part.get(what, 0) for part in known) for part in known for what in part}

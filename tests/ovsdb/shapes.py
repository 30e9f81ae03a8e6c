"""A schema with a column of every shape: each type alone, optional, as a set, and as a map of each to each."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from ovsnet.ovsdb import Uuid

TYPES = ("integer", "real", "boolean", "string", "uuid")
NAME = "Shapes"


def columns() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in TYPES:
        yield f"one_{kind}", {"type": kind}
        yield f"maybe_{kind}", {"type": {"key": kind, "min": 0}}
        yield f"some_{kind}", {"type": {"key": kind, "min": 0, "max": "unlimited"}}
        yield f"few_{kind}", {"type": {"key": kind, "min": 0, "max": 2}}
        for item in TYPES:
            yield f"map_{kind}_{item}", {"type": {"key": kind, "value": item, "min": 0, "max": "unlimited"}}


COLUMNS = dict(columns())

SCHEMA: dict[str, Any] = {
    "name": NAME,
    "version": "1.0.0",
    "tables": {
        "Shape": {
            "columns": {"name": {"type": "string"}, **COLUMNS},
            "indexes": [["name"]],
            "isRoot": True,
        },
        "Counter": {"columns": {"count": {"type": "integer"}}, "maxRows": 1, "isRoot": True},
    },
}

ATOMS: dict[str, Callable[[random.Random], object]] = {
    # Few values, so that sets and maps often hold the element that is added or removed.
    "integer": lambda rng: rng.choice((0, 1, -1, 7, (1 << 63) - 1, -(1 << 63))),
    # 15 digits is what OVS prints: reals that differ beyond them are one to its readers.
    "real": lambda rng: rng.choice((0.0, 1.0, -2.5, 0.1, 1e300, 3e-300)),
    "boolean": lambda rng: rng.random() < 0.5,
    "string": lambda rng: rng.choice(("", "a", "b", 'qu"ote\\', "}{", "zażółć \U0001f600", "x" * 300)),
    "uuid": lambda rng: Uuid(f"{rng.randrange(6):08d}-0000-4000-8000-000000000000"),
}


def random_value(name: str, rng: random.Random) -> object:
    """A value that the column takes."""
    shape, kind, *item = name.split("_")
    if shape == "one":
        return ATOMS[kind](rng)
    if shape == "maybe":
        return ATOMS[kind](rng) if rng.random() < 0.6 else None
    most = 2 if shape == "few" else 5
    keys = {ATOMS[kind](rng) for _ in range(rng.randrange(most + 1))}
    return {key: ATOMS[item[0]](rng) for key in keys} if shape == "map" else keys

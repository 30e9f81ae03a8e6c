"""An option of a workload, as data: the command line makes a flag of it."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from ovsnet.config import Group


class Whole(msgspec.Struct, frozen=True):
    """A whole number within bounds."""

    least: int
    most: int


class Number(msgspec.Struct, frozen=True):
    """Any number within bounds."""

    least: float
    most: float


class Duration(msgspec.Struct, frozen=True):
    """A time within bounds, in seconds."""

    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Words:
    """One of these words."""

    words: tuple[str, ...]

    def __init__(self, *words: str) -> None:
        object.__setattr__(self, "words", words)


Values = Whole | Number | Duration | Words | type[str] | type[bool]


class Option(msgspec.Struct, frozen=True):
    """``flag`` is ``--name``, or a bare name for what needs no flag. The option is given to ``plan`` under ``name``, as
    a tuple if it may be said ``many`` times. A ``bool`` takes no value."""

    flag: str
    values: Values
    help: str = ""
    default: object = None
    name: str = ""
    many: bool = False
    metavar: str | None = None

    @property
    def parameter(self) -> str:
        """The name of the parameter of ``plan``."""
        return self.name or self.flag.lstrip("-").replace("-", "_")


def rounds(default: int) -> Option:
    """How often everything is measured."""
    return Option("--rounds", Whole(1, 1000), "Number of repetitions.", default)


ADDRESS = Option("--address", str, "Where to connect, such as tcp:10.0.0.1:6642.", metavar="ADDRESS")
DEADLINE = Option("--deadline", Duration(0.01, 600), "How long a client waits for its answer.", default=5.0)
NODE: tuple[Group | str, ...] = (Group.NODE, Group.TLS, "bridge")
"""Settings of a workload that talks to the host's node."""

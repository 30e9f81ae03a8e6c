"""A key that is known and is not a knob: it names, places or switches something, and can be wrong. Pure."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from ovsnet.node.version import Version, reached, shown
from ovsnet.tune.knob import READERS, Place, Product

CONFIG_FILE = "ovsdb-server --config-file"
"""Stands for a database where a setting is in the server's own file."""

Form = Callable[[str], str]
"""What is wrong with a value, as the end of ``It ...``; empty when nothing is."""


def anything(_: str) -> str:
    """Any text will do."""
    return ""


class Key(msgspec.Struct, frozen=True):
    """``reader`` knows the key from ``since`` until ``until``, and on older branches from one of ``backports``.

    ``misread`` says in a sentence what it does with a value that ``form`` does not take. ``gone`` says why nothing is
    lost where the key is dead, ``instead`` what does today what it was for. ``whatever`` holds for any value;
    ``suffixed`` keys may be given for one chassis.
    """

    place: Place
    reader: str
    form: Form = anything
    misread: str = ""
    since: Version | None = None
    until: Version | None = None
    gone: str = ""
    instead: str = ""
    note: str = ""
    suffixed: bool = False
    source: str = ""
    backports: tuple[Version, ...] = ()

    def acts_on(self, version: Version | None) -> bool | None:
        """Whether a daemon of this version reads it; None when that depends on a version nobody knows."""
        if self.since is None and self.until is None:
            return True
        if version is None:
            return None
        if self.until is not None and reached(version, self.until):
            return False
        first = next((each for each in self.backports if each[:2] == version[:2]), self.since)
        return first is None or reached(version, first)

    def life(self) -> str:
        """The versions on which it acts, in words."""
        firsts = ", ".join(map(shown, sorted((self.since, *self.backports)))) if self.since else ""
        first = f"since {self.product} {firsts}" if self.since else ""
        last = f"dead since {self.product} {shown(self.until)}" if self.until else ""
        return ", ".join(part for part in (first, last) if part) or "all"

    @property
    def product(self) -> Product:
        """Whose version numbers ``since`` and ``until`` are."""
        return READERS[self.reader]

"""The keys of ``ovsnet top``: bytes of a terminal, which key they are, and what it does."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import termios
import tty
from collections.abc import Callable, Iterator

from ovsnet.cli.top_picture import View

PAGE = 10
END = 1 << 30
"""More lines than there ever are, so the picture shows the last ones."""

_SEQUENCE = re.compile(rb"\x1b(?:\[[0-9;]*[A-Za-z~]|O[A-Za-z])")
"""ECMA-48 section 5.4, and the SS3 that a terminal sends while its keypad is in the application mode."""
_CUT_OFF = re.compile(rb"\x1b(?:\[[0-9;]*|O)?$")

MOVES = {b"A": -1, b"B": 1, b"5~": -PAGE, b"6~": PAGE, b"H": -END, b"1~": -END, b"F": END, b"4~": END}
"""How many lines each key scrolls, by what follows the introducer."""


class Keys:
    """Turns bytes into keys. A sequence that arrives in two parts is one key."""

    def __init__(self) -> None:
        self._kept = b""

    def pressed(self, typed: bytes) -> list[bytes]:
        """Letters as they are; a sequence without its introducer."""
        typed = self._kept + typed
        self._kept = found[0] if (found := _CUT_OFF.search(typed)) else b""
        typed = typed[: len(typed) - len(self._kept)]
        keys = []
        while typed:
            sequence = _SEQUENCE.match(typed)
            size = len(sequence[0]) if sequence else 1
            keys.append(typed[2:size] if sequence else typed[:1])
            typed = typed[size:]
        return keys


def press(key: bytes, view: View, furthest: int) -> bool:
    """Change ``view``, whose greatest offset is ``furthest``; whether to quit."""
    if key == b" ":
        view.unfolded = not view.unfolded
    elif key == b"?":
        view.keys, view.offset = not view.keys, 0
    elif key in MOVES:
        view.offset = min(max(min(view.offset, furthest) + MOVES[key], 0), furthest)
    return key in (b"q", b"Q")


@contextlib.contextmanager
def keyboard(typed: Callable[[bytes], None]) -> Iterator[None]:
    """Calls ``typed`` with what is typed, as it is typed, and nothing of it is shown; b"" when the terminal is gone.
    Ctrl-C stays a signal. Needs a running loop."""
    if not sys.stdin.isatty():
        yield
        return
    loop, place = asyncio.get_running_loop(), sys.stdin.fileno()

    def readable() -> None:
        try:
            found = os.read(place, 64)
        except OSError:  # EIO: the other end of a pseudo-terminal was closed
            found = b""
        if not found:
            loop.remove_reader(place)
        typed(found)

    before = termios.tcgetattr(place)
    tty.setcbreak(place)
    loop.add_reader(place, readable)
    try:
        yield
    finally:
        loop.remove_reader(place)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(place, termios.TCSADRAIN, before)

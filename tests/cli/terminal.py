"""The program on a pseudo-terminal, and what a person sees there."""

from __future__ import annotations

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from rich.cells import cell_len

from tests.patience import PATIENCE

_SEQUENCE = re.compile(r"\x1b(?:\[([?0-9;]*)([A-Za-z])|[()][0-9A-B])")
_CUT_OFF = re.compile(r"\x1b(?:\[[?0-9;]*|[()])?$")


class Screen:
    """As much of a terminal as our program uses: letters, the cursor, erasing, the styles dim and bold, scrolling, and
    the wrap that waits for the next letter. Anything else is an error."""

    def __init__(self, columns: int, rows: int) -> None:
        self.columns, self.rows = columns, rows
        self.has_sequences = False
        self._left = ""
        self._row = self._column = 0
        self._style: frozenset[str] = frozenset()
        self._wipe()

    @property
    def lines(self) -> list[str]:
        return ["".join(letter for letter, _ in line).rstrip() for line in self._cells]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def is_dim(self, row: int) -> bool:
        """Whether all of what can be read in this row is."""
        return all("dim" in style for letter, style in self._cells[row] if letter.strip())

    def feed(self, text: str) -> None:
        """The terminal receives this."""
        text = self._left + text
        self._left = found[0] if (found := _CUT_OFF.search(text)) else ""
        text = text[: len(text) - len(self._left)]
        at = 0
        while at < len(text):
            if sequence := _SEQUENCE.match(text, at):
                self.has_sequences = True
                self._obey(sequence[1] or "", sequence[2] or "")
                at = sequence.end()
            else:
                self._write(text[at])
                at += 1

    def _wipe(self) -> None:
        self._cells = [[(" ", self._style)] * self.columns for _ in range(self.rows)]

    def _write(self, letter: str) -> None:
        if letter == "\r":
            self._column = 0
        elif letter == "\n":
            self._down()
        elif letter == "\b":
            self._column = max(self._column - 1, 0)
        else:
            assert letter.isprintable(), repr(letter)
            if self._column >= self.columns:
                self._column = 0
                self._down()
            self._cells[self._row][self._column] = (letter, self._style)
            self._column += cell_len(letter)

    def _down(self) -> None:
        if self._row < self.rows - 1:
            self._row += 1
        else:
            self._cells = [*self._cells[1:], [(" ", self._style)] * self.columns]

    def _obey(self, numbers: str, what: str) -> None:
        if what == "m":
            self._restyle(numbers)
        elif what == "H":
            row, column = ([int(each or 1) for each in numbers.split(";")] + [1, 1])[:2]
            self._row, self._column = min(row, self.rows) - 1, min(column, self.columns) - 1
        elif numbers + what in ("2J", "?1049h", "?1049l"):
            self._wipe()
        else:
            assert numbers + what in ("?25h", "?25l") or not what, (numbers, what)

    def _restyle(self, numbers: str) -> None:
        styles = {"1": "bold", "2": "dim"}
        for number in numbers.split(";"):
            if number in ("", "0"):
                self._style = frozenset()
            elif number == "22":
                self._style -= {"bold", "dim"}
            elif number in styles:
                self._style |= {styles[number]}


class Terminal:
    """``ovsnet`` on a terminal of its own, which sends it Ctrl-C as a signal. Its size is the terminal's, not that of
    an environment."""

    def __init__(
        self, *arguments: str, columns: int = 80, rows: int = 24, environment: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.screen = Screen(columns, rows)
        self._ours, theirs = pty.openpty()
        self._decoder = codecs.getincrementaldecoder(environment.get("PYTHONIOENCODING", "utf-8"))()
        self._resize(columns, rows)
        take = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from ovsnet.cli import main; main()"
        kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", take, *arguments],
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
            env={**kept, "TERM": "xterm", "PYTHONUTF8": "1", **environment},
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        if self._ours >= 0:
            os.close(self._ours)

    def press(self, keys: bytes) -> None:
        os.write(self._ours, keys)

    def hang_up(self) -> None:
        os.close(self._ours)
        self._ours = -1

    def resize(self, columns: int, rows: int) -> None:
        """As a person drags the window; it is blank until the program has drawn it again."""
        self.screen = Screen(columns, rows)
        self._resize(columns, rows)

    def _resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def modes(self) -> list[object]:
        """How the keyboard is read (termios(3))."""
        return termios.tcgetattr(self._ours)

    def until(self, holds: Callable[[Screen], bool]) -> None:
        """Return when this holds of the screen."""
        deadline = time.monotonic() + PATIENCE
        while not holds(self.screen):
            assert time.monotonic() < deadline, self.screen.text
            self._read()

    def ended(self) -> int:
        """The exit code; what it wrote until then is on the screen."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, self.screen.text
            if self._ours >= 0:
                self._read()
        return self.process.wait()

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.05)[0]:
            try:
                self.screen.feed(self._decoder.decode(os.read(self._ours, 1 << 16)))
            except OSError:  # EIO: the program has ended
                time.sleep(0.05)

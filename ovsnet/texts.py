"""Strings that came from elsewhere, made harmless for the place that they go to.

A bridge may bear any name, and so may a process, a socket, a row of a database. Some characters do something where they
are shown: they move a terminal's cursor and set its title, begin a line of a log, or turn what follows them around
(Unicode Standard Annex 9; CVE-2021-42574). They are shown as JSON escapes, so that a document stays what it was. There
is one function for each place; what a check, an examination or an error says has been made one line before that.

``likely`` says which name somebody meant that is not one of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

_WHOLE_NUMBER = re.compile("[0-9]{1,20}")
"""As many digits as 64 bits have."""

LONGEST_NUMBER = 64
"""Characters of a text that may be a number: int() raises ValueError for more than 4300 digits."""

_INVISIBLE = (
    "\x7f-\x9f"  # DEL, and the control characters of ISO 6429 as one character
    "\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"  # directions, joiners, separators of lines
    "\ufff9-\ufffb"  # annotations
    "\ud800-\udfff"  # bytes that were not UTF-8 (PEP 383), which no encoder takes
    "\U000e0000-\U000e007f"  # tags
)
_IN_LINE = re.compile(f"[\x00-\x1f{_INVISIBLE}]")
_IN_LINES = re.compile(f"[\x00-\x08\x0b-\x1f{_INVISIBLE}]")


def for_line(text: str) -> str:
    """One line of anything."""
    return text if text.isascii() and text.isprintable() else _IN_LINE.sub(_escape, text)


def for_lines(text: str) -> str:
    """Several lines, with tabs."""
    return _IN_LINES.sub(_escape, text)


for_log = for_line
"""An entry: a line break would begin another, with a time and a priority of its own."""

for_manager = for_line
"""systemd's STATUS=: a line break would begin another assignment (sd_notify(3))."""

for_metric = for_line
"""The value of a label."""

for_http = for_lines
"""A plain answer."""

for_terminal = for_lines
"""What is printed; ``cli.terminal`` adds styles of our own."""


def json_of(document: object) -> bytes:
    """A document that leaves as JSON, each of its strings as one line: an encoder takes no surrogate, and lets what
    turns text around pass."""
    return msgspec.json.encode(harmless(document))


def for_json(encoded: str) -> str:
    """A document that is encoded already: what JSON lets pass unescaped."""
    return _IN_LINES.sub(_escape, encoded)


def harmless(document: object) -> object:
    """All strings of a decoded document, each as one line."""
    if isinstance(document, str):
        return for_line(document)
    if isinstance(document, dict):
        return {harmless(key): harmless(value) for key, value in document.items()}
    if isinstance(document, (list, tuple)):
        return [harmless(each) for each in document]
    return document


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at] << 8 | units[at + 1]:04x}" for at in range(0, len(units), 2))


def whole_number(text: str) -> int | None:
    """What these ASCII digits count, blanks around them aside; None for anything else. To str.isdigit() ``²`` is a
    digit, and int() refuses it, as it does more digits than the interpreter's bound."""
    return int(text) if _WHOLE_NUMBER.fullmatch(text := text.strip()) else None


MOST_LIKELY = 3
"""Names that are suggested for one that there is not."""

ALIKE = 0.85
"""Of difflib's ratio, from which on more than one name is suggested."""


def seconds(number: float) -> str:
    """A time that was waited for, which may be what is left of a longer one: ``5 s`` and not ``4.97663 s``."""
    return f"{round(number, 1):g} s" if number >= 1 else f"{number:.2g} s"


def size(number: int) -> str:
    """Bytes as people read them: ``4096 bytes``, ``3.8 MiB``, ``71.1 GiB``."""
    for unit, shift in (("TiB", 40), ("GiB", 30), ("MiB", 20)):
        if number >> shift:
            return f"{number / (1 << shift):.1f} {unit}"
    return f"{number} bytes"


def likely(name: str, names: Iterable[str], all_of_them: str, place: str = "") -> str:
    """The remedy for a ``name`` that is none of ``names``: those that begin with it, else those that resemble it. Then
    ``all_of_them``, such as "The checks": ``place`` shows them, or, where that is empty, their names follow when none
    is alike."""
    from difflib import get_close_matches  # 0.2 MB, which an agent is to have only for a misspelling

    known = list(names)
    near = [each for each in known if name and each.startswith(name)]
    near = near or get_close_matches(name, known, MOST_LIKELY, ALIKE) or get_close_matches(name, known, 1)
    said = [f"Did you mean {listed(near[:MOST_LIKELY], 'or')}?"] if near else []
    if place:
        said.append(f"{all_of_them} are listed {place}.")
    elif not near:
        said.append(f"{all_of_them} are: {', '.join(known)}.")
    return " ".join(said)


def listed(names: Sequence[str], conjunction: str) -> str:
    """``a, b or c``."""
    return f" {conjunction} ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)

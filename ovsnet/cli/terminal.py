"""What is printed. Everything goes through ``say``, which lets no control character pass but those of our styles."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from typing import Any, TextIO

import click

from ovsnet.errors import UnfitEnvironment
from ovsnet.texts import for_line, for_terminal

_MARK = os.urandom(8).hex()
"""Random, so that the name of a bridge cannot contain it."""

_MARKED = re.compile(rf"<{_MARK}([0-9;]*)>")
_SIGN = re.compile(rf"<{_MARK}!(.)>")
_STYLE = re.compile(r"\x1b\[([0-9;]*)m")


SIGNS = {
    "ready": "✔", "degraded": "▲", "starting": "…", "not-ready": "✖",
    "ok": "✔", "slow": "▲", "unknown": "?", "failed": "✖", "skipped": "-",
}  # fmt: skip
"""Of each state and each status, as on the page."""
_SIGNS = "".join(SIGNS.values())

COLOURS = {
    "ready": "green", "degraded": "yellow", "starting": "yellow", "not-ready": "red",
    "ok": "green", "slow": "yellow", "unknown": "yellow", "failed": "red",
}  # fmt: skip


def marked(how: str, text: str, **style: Any) -> str:  # noqa: ANN401
    """The text in the colour of a state or status, behind its sign. A pipe, and a locale that lacks the sign, get the
    text alone."""
    return f"<{_MARK}!{SIGNS.get(how, '?')}>{styled(text, fg=COLOURS.get(how), **style)}"


def styled(text: str, **style: Any) -> str:  # noqa: ANN401
    """As click.style; only ``say`` makes it visible."""
    return _STYLE.sub(rf"<{_MARK}\1>", click.style(for_line(text), **style))


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print it; letters that the locale lacks are escaped, too."""
    stream = sys.stderr if err else sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    signed = _SIGN.sub(r"\1 " if stream.isatty() and _has(_SIGNS, encoding) else "", for_terminal(text))
    shown = _MARKED.sub("\x1b[\\1m", signed)
    try:
        click.echo(shown.encode(encoding, "backslashreplace").decode(encoding), err=err, nl=nl)
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        failure = unwritten(stream, error)
        if not err:
            raise failure from error


def unwritten(stream: TextIO, error: OSError) -> UnfitEnvironment:
    """Give a stream up that cannot be written; click knows what to do where its reader has gone."""
    with contextlib.suppress(OSError, ValueError):  # it may have no descriptor
        # Python would write what is left once more as it ends, and complain.
        nowhere = os.memfd_create("unwritten")
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    return UnfitEnvironment(f"The output cannot be written: {error.strerror}.", remedy="Write it to another place.")


def block() -> str:
    """What bars are made of, in the letters that the output has."""
    return "█" if _has("█", sys.stdout.encoding or "utf-8") else "#"


def _has(letters: str, encoding: str) -> bool:
    """Whether they can be written so."""
    try:
        letters.encode(encoding)
    except (LookupError, UnicodeEncodeError):
        return False
    return True


def redraw(text: str) -> None:
    """Replace the last line of the terminal on stderr: progress."""
    click.echo(f"\r\033[K{for_line(text)}", nl=False, err=True)

"""What is printed. Everything goes through ``say``, which lets no control character pass but those of our styles."""

from __future__ import annotations

import os
import re
import sys
from typing import Any

import click

from ovsnet.texts import for_line, for_terminal

_MARK = os.urandom(8).hex()
"""Nobody can write it into the name of a bridge before we have drawn it."""

_MARKED = re.compile(rf"<{_MARK}([0-9;]*)>")
_STYLE = re.compile(r"\x1b\[([0-9;]*)m")


def styled(text: str, **style: Any) -> str:  # noqa: ANN401
    """As click.style; only ``say`` makes it visible."""
    return _STYLE.sub(rf"<{_MARK}\1>", click.style(for_line(text), **style))


def say(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print it; letters that the locale has not are escaped, too."""
    shown = _MARKED.sub("\x1b[\\1m", for_terminal(text))
    encoding = getattr(sys.stderr if err else sys.stdout, "encoding", None) or "utf-8"
    click.echo(shown.encode(encoding, "backslashreplace").decode(encoding), err=err, nl=nl)


def redraw(text: str) -> None:
    """Put it in the place of the last line of a terminal, on stderr: how far we are."""
    click.echo(f"\r\033[K{for_line(text)}", nl=False, err=True)

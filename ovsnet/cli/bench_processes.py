"""A measurement done several times, each time by a process of its own.

What is random about a process, such as the layout of its memory and its core, is the same in all of its rounds.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from types import FrameType

import click
from click.core import ParameterSource

from ovsnet.bench.files import decode
from ovsnet.bench.result import Document
from ovsnet.cli.bench_output import Output, publish
from ovsnet.cli.terminal import say
from ovsnet.errors import UnfitEnvironment
from ovsnet.protocol.jsonrpc import BAD_JSON

PROGRAM = (sys.executable, "-m", "ovsnet")

OWN = {"processes", "out", "report", "as_json"}
"""Flags that are for the whole and not for its parts."""

CUT_SHORT = 130


def apart(context: click.Context, processes: int, output: Output) -> None:
    """Have each process measure the same thing, publish all of it as one document, and end as ``run`` does."""
    argv = [*PROGRAM, "bench", str(context.info_name), *_words(context), "--json"]
    whole: Document | None = None
    cut_short = False
    for number in range(processes):
        part, code = _part(argv)
        cut_short = code == CUT_SHORT
        for run in part.runs:
            run.process = number
        if whole is None:
            whole = part
        else:
            whole.runs += part.runs
        if cut_short:
            break
    assert whole is not None
    publish(whole, output)
    if cut_short:
        say("ovsnet: Interrupted: these are the measurements so far.", err=True)
        raise click.exceptions.Exit(CUT_SHORT)
    if whole.problems:
        raise click.exceptions.Exit(1)


def _part(argv: list[str]) -> tuple[Document, int]:
    """What one process measured, and how it ended. When it could not begin, we end with its error."""
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with _handed_on(process):
        out, err = process.communicate()
    try:
        return decode(out), process.returncode
    except BAD_JSON as error:
        if process.returncode > 0:
            say(err.decode(errors="replace"), err=True, nl=False)
            raise click.exceptions.Exit(process.returncode) from error
        raise UnfitEnvironment(f"A process of the bench was killed by signal {-process.returncode}.") from error


@contextlib.contextmanager
def _handed_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Meanwhile a signal to end is passed on to the part, which has the measurements so far and knows how to end. A
    terminal sends SIGINT to both; a second one does no harm."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)

    before = {number: signal.signal(number, hand_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _words(context: click.Context) -> Iterator[str]:
    """The arguments of the command line, except those for the whole."""
    for each in context.command.params:
        if each.name in OWN or context.get_parameter_source(each.name or "") is not ParameterSource.COMMANDLINE:
            continue
        value = context.params[each.name or ""]
        values = value if isinstance(value, tuple) else (value,)
        for one in values:
            if isinstance(each, click.Argument):
                yield str(one)
            elif isinstance(one, bool):
                yield (each.opts if one else each.secondary_opts)[0]
            else:
                yield from (each.opts[0], str(one))

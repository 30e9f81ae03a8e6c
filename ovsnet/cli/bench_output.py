"""Where the outcome of ``ovsnet bench`` goes."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from ovsnet.bench.files import encode
from ovsnet.bench.result import Document
from ovsnet.cli.bench_text import table
from ovsnet.cli.terminal import say
from ovsnet.errors import UsageError
from ovsnet.files import replace

FILE = click.Path(path_type=Path, dir_okay=False)


class Output(msgspec.Struct, frozen=True):
    """The files to write, and whether to print the document in place of the table."""

    out: Path | None
    report: Path | None
    as_json: bool


def publish(document: Document, output: Output) -> None:
    """Write the files that were asked for, and print the table, or the document."""
    for path, content in ((output.out, encode), (output.report, _page)):
        if path is not None:
            try:
                replace(path, content(document))
            except OSError as error:
                raise UsageError(f"Cannot write {path}: {error.strerror}.", remedy="Name another file.") from error
    say(encode(document).decode() if output.as_json else table(document))
    for problem in document.problems:
        say(f"ovsnet: {problem}", err=True)


def require_plots() -> None:
    """Raise UsageError, before anything is measured, when the plots could not be drawn."""
    from importlib.util import find_spec

    if find_spec("matplotlib") is None:
        raise UsageError("--report needs matplotlib, which is not installed.", remedy="pip install 'ovsnet[bench]'.")


def require_places(*files: Path | None) -> None:
    """Raise UsageError, before anything is measured, when a file could not be written."""
    for path in files:
        if path is not None and not os.access(path if path.exists() else path.parent, os.W_OK):
            raise UsageError(f"Cannot write {path}.", remedy="Name a file in a directory that you may write to.")


def _page(document: Document) -> bytes:
    from ovsnet.bench.report import page

    return page(document)

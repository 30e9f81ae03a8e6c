"""The command line. Each command is a module of its own that is imported when it is called."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import itertools
import json
import sys
from collections.abc import Iterator, Mapping

import click

from ovsnet import __version__
from ovsnet.cli.groups import CommandGroup
from ovsnet.cli.terminal import say, unwritten
from ovsnet.errors import OvsnetError, UsageError
from ovsnet.texts import for_line

COMMANDS = {
    "bench": "Measure the node under many concurrent clients, and what helps.",
    "check": "Run every check once, and report what is wrong.",
    "completion": "Print or install shell completion for bash, zsh and fish.",
    "demo": "Run a sandbox node with the agent, to explore and to break.",
    "sandbox": "Run a real Open vSwitch and OVN node in one directory.",
    "doctor": "Report what on this host is unfit for Open vSwitch, and fix what is safe to fix.",
    "install": "Install the agent as a systemd service, or remove it.",
    "explain": "Report what happened, from logs and archives.",
    "kubernetes": "Print manifests that run the agent in a cluster.",
    "openflow": "Query a bridge for its flows, ports, tables, groups and meters.",
    "report": "Write one archive for a bug report: status, history, logs, findings.",
    "ovsdb": "Read, write and follow any OVSDB database.",
    "serve": "Run the agent: health endpoints, status, metrics.",
    "timeline": "Show how long each stage of the last start took.",
    "top": "Watch the diagnosis and every check of a running agent.",
    "tune": "Check, plan, apply and revert the settings that tune OVS and OVN.",
    "wait": "Block until a startup stage is reached.",
}
"""Name and short help of each command; the module ``ovsnet.cli.NAME`` holds it under the same name."""


class LazyGroup(CommandGroup):
    """Imports a command when it is called, so that ``ovsnet check`` does not pay for the web server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        # Imports make no garbage, and collecting it would take a tenth of a command's start.
        gc.disable()
        try:
            command: click.Command = getattr(importlib.import_module(f"ovsnet.cli.{cmd_name}"), cmd_name)
        finally:
            gc.enable()
        gc.freeze()
        return command

    def summaries(self, ctx: click.Context) -> Mapping[str, str]:
        return COMMANDS


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="ovsnet %(version)s")
def ovsnet() -> None:
    """Know whether this node's Open vSwitch and OVN really work.

    Exit codes: 0 yes or done, 1 no, 2 wrong usage or configuration, 3 could not tell.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command; an error of ours is two sentences on stderr and an exit code, never a traceback."""
    try:
        with _buffered_stdout():
            code = _run(arguments)
    except OvsnetError as error:
        say(for_line(f"ovsnet: {error}" + (f" {error.remedy}" if error.remedy else "")), err=True)
        _document(arguments, error.reason, str(error), error.remedy)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        _document(arguments, UsageError.reason, error.format_message())
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    sys.exit(code or 0)


def _document(arguments: list[str] | None, code: str, summary: str, remedy: str = "") -> None:
    """Give a program that asked for JSON the error as JSON, in the keys of a diagnosis."""
    words = [*itertools.takewhile("--".__ne__, sys.argv[1:] if arguments is None else arguments)]
    if "--json" in words or "--format=json" in words or ("--format", "json") in itertools.pairwise(words):
        with contextlib.suppress(OvsnetError):  # stdout cannot be written, which stderr may have said
            say(json.dumps({"error": {"code": code, "summary": summary, "remedy": remedy}}))


def _run(arguments: list[str] | None) -> int | None:
    try:
        # Outside its standalone mode click returns the code of a command that ended by Exit, and does not raise it.
        code: int | None = ovsnet.main(arguments, prog_name="ovsnet", standalone_mode=False)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EIO) or error.filename is not None:
            raise
        raise unwritten(sys.stdout, error) from error  # click prints help by itself
    return code


@contextlib.contextmanager
def _buffered_stdout() -> Iterator[None]:
    """Give stdout a buffer where it has none (PYTHONUNBUFFERED, as in many containers).

    Without one, Python silently drops the rest of a write to a full pipe that was cut short: by a signal, or by the
    kernel's own work when an event loop's io_uring ends (fs/pipe.c, ``pipe_write``).
    """
    raw = getattr(sys.stdout, "buffer", None)
    if not isinstance(raw, io.RawIOBase):
        yield
        return
    buffered = io.BufferedWriter(raw)
    text = io.TextIOWrapper(buffered, sys.stdout.encoding, sys.stdout.errors, line_buffering=True)
    with contextlib.redirect_stdout(text):
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the reader has gone
                text.detach()
                buffered.detach()

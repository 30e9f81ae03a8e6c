"""``ovsnet explain``: what happened, from logs and archives."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Mapping
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from ovsnet.cli.completers import files
from ovsnet.cli.explain_text import lines
from ovsnet.cli.terminal import redraw, say
from ovsnet.errors import UsageError
from ovsnet.explain.answer import document
from ovsnet.explain.page import page
from ovsnet.explain.read import explain as explained
from ovsnet.explain.read import zones as zones_of
from ovsnet.files import replace
from ovsnet.texts import for_line, for_lines

EVERY = 0.2
"""Seconds between two lines of progress."""


Zones = Mapping[str, int | tzinfo]
"""By the name of a host, a file or a directory; "" is for all others."""


def _zones(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> Zones:
    """``ZONE`` for all, ``NAME=ZONE`` for one."""
    return {name: _place(ctx, param, place) for name, _, place in (each.rpartition("=") for each in values)}


def _place(ctx: click.Context, param: click.Parameter, value: str) -> int | tzinfo:
    """``+02:00`` as seconds east of UTC, or a zone by its name, which has daylight saving time."""
    found = re.fullmatch(r"(?:Z|UTC|([+-])(\d\d):?(\d\d))", value)
    if found is None:
        try:
            return ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    if found is None or (found[2] and (int(found[2]) > 14 or int(found[3]) > 59)):
        raise click.BadParameter(
            f"{value!r} is neither an offset from UTC such as +02:00 nor a known zone.", ctx, param
        )
    seconds = int(found[2] or 0) * 3600 + int(found[3] or 0) * 60
    return -seconds if found[1] == "-" else seconds


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="FILE|DIR|TAR|-...", shell_complete=files)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON document.")
@click.option("--zone", "zones", callback=_zones, multiple=True, default=("+00:00",), show_default=True,
              metavar="[NAME=]ZONE",
              help="Time zone of timestamps that have none, as in the journal: +02:00, or Europe/Berlin; with NAME, "
                   "only those of this host, file or directory. Can be repeated.")  # fmt: skip
@click.option("--report", type=click.Path(dir_okay=False), metavar="FILE",
              help="Write the answer here as an HTML page, for an incident review.")  # fmt: skip
def explain(paths: tuple[str, ...], as_json: bool, zones: Zones, report: str | None) -> None:
    """Report what happened, from logs and archives: each start and where its time went, each outage and its root cause.

    Reads the logs of ovs-vswitchd, ovsdb-server, ovn-controller and ovn-northd, rotated or compressed, as files, in
    directories, in archives or on standard input (-), also as the journal or a container wrote them. They are
    recognized by their content.

    Exit code 0 when nothing was wrong, 1 when there was an outage or a start that never completed, 3 when no line of a
    daemon was found.

    \b
    Examples:
      ovsnet explain /var/log/openvswitch /var/log/ovn
      ovsnet explain sosreport-node1.tar.xz --report incident.html
      ovsnet explain n1.tar.xz n2.tar.xz --zone n1=+02:00 --zone n2=Europe/London
      kubectl logs ovs-ovn-x7k2p -c openvswitch | ovsnet explain -
    """
    shown = _Progress()
    try:
        found = explained(paths, sys.stdin.buffer, zones_of(zones, time.time()), shown)
    finally:
        shown.end()
    if report is not None:
        _write(report, for_lines(page(found)))
    if as_json:
        say(json.dumps(document(found), indent=2, ensure_ascii=False))
    else:
        for line in lines(found):
            say(for_line(line))
    if found.outages or any(start.ended is None for start in found.starts):
        raise click.exceptions.Exit(1)


def _write(path: str, text: str) -> None:
    try:
        replace(Path(path), text.encode())
    except OSError as error:
        raise UsageError(f"Cannot write {path}: {error.strerror}.", remedy="Name another file.") from error


class _Progress:
    """One line on stderr, if that is a terminal: how much was read, and what share of a file whose size is known."""

    def __init__(self) -> None:
        self._bytes = 0
        self._file = ("", 0, 0)
        self._at = time.monotonic()
        self._shown = False
        self._terminal = sys.stderr.isatty()

    def __call__(self, name: str, count: int) -> None:
        if not self._terminal:
            return
        self._bytes += count
        before, read, size = self._file
        self._file = (name, read + count, size) if name == before else (name, count, _size(name))
        now = time.monotonic()
        if now - self._at >= EVERY:
            self._at, self._shown = now, True
            redraw(f"{self._bytes / 1e6:.0f} MB  {name[-60:]}{_share(*self._file[1:])}")

    def end(self) -> None:
        if self._shown:
            redraw("")


def _size(name: str) -> int:
    """Bytes of a file; 0 for a member of an archive, and for a pipe."""
    try:
        return os.stat(name).st_size
    except (OSError, ValueError):
        return 0


def _share(read: int, size: int) -> str:
    return f"  {100 * read // size} %" if 0 < read <= size else ""

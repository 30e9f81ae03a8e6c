"""The names that other people's scripts, probes, alerts and dashboards rely on, one a line: ``python -m
tests.golden.names``. ``names-VERSION.txt`` holds those of a release; docs/upgrading.md says how one may go.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import ovsnet.cli
from ovsnet.config import declared
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes
from ovsnet.health.checks import CHECKS
from ovsnet.web.endpoints import ENDPOINTS
from tests.golden.faces import commands

WEB = Path(ovsnet.__file__).parent / "web"

WITHOUT_CAUSE = ("healthy", "starting")
"""Codes of a diagnosis that no row of the table of causes gives."""


def names() -> set[str]:
    """Each with its kind before it."""
    codes = {*(each.code for each in causes()), UNEXPLAINED.code, *WITHOUT_CAUSE}
    return {
        *(f"check {name}" for name in CHECKS),
        *(f"code {name}" for name in codes),
        *(f"endpoint {path}" for path in ENDPOINTS),
        *(f"metric {name}" for name in _metrics()),
        *(f"setting {each.name}" for each in declared()),
        *_commands_and_flags(),
    }


def _commands_and_flags() -> Iterator[str]:
    for path in commands():
        yield " ".join(("command ovsnet", *path))
        for option in _options(path):
            yield " ".join(("flag", *path, option))


def _options(path: tuple[str, ...]) -> Iterator[str]:
    command: click.Command = ovsnet.cli.ovsnet
    for name in path:
        assert isinstance(command, click.Group)
        found = command.get_command(click.Context(command), name)
        assert found is not None
        command = found
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from (*parameter.opts, *parameter.secondary_opts)


def _metrics() -> Iterator[str]:
    """The first argument of each family: which of them a scrape shows depends on the node."""
    for path in WEB.glob("*.py"):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("MetricFamily"):
                name = call.args[0]
                assert isinstance(name, ast.Constant), ast.unparse(call)
                yield str(name.value)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{name}\n" for name in sorted(names())))

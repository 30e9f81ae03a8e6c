"""Flags that follow from the settings' declarations."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ovsnet.config import Row, Settings, load, rows

Function = TypeVar("Function", bound=Callable[..., Any])

NODE_SETTINGS = (
    "rundir",
    "ovn_rundir",
    "database",
    "bridge",
    "tls_key",
    "tls_certificate",
    "tls_ca",
)
"""What every command that talks to a node takes."""


class Number(click.FloatRange):
    """A number within bounds. NaN is none: it compares with no bound, so click would let it pass."""

    name = "number"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


Reload = Callable[[], Settings]


def with_settings(*names: str, reloadable: bool = False) -> Callable[[Function], Callable[..., Any]]:
    """Give a command ``--config`` and the flags of ``names``; it gets a loaded ``settings``.

    A ``reloadable`` one also gets ``reload``, which reads the same sources anew.
    """

    def decorate(function: Function) -> Callable[..., Any]:
        @functools.wraps(function)
        def loaded(config: str | None, **arguments: object) -> object:
            flags = {name: arguments.pop(name) for name in names}
            reload = functools.partial(load, config or os.environ.get("OVSNET_CONFIG"), os.environ, flags)
            if reloadable:
                arguments["reload"] = reload
            return function(settings=reload(), **arguments)

        command: Callable[..., Any] = click.option("--config", metavar="FILE", help="TOML file with settings.")(loaded)
        for row in reversed([row for row in rows() if row.name in names]):
            command = _option(row)(command)
        return command

    return decorate


def _option(row: Row) -> Callable[[Function], Function]:
    default = ", ".join(row.default) if isinstance(row.default, tuple) else row.default
    shown = f"{row.description.replace('`', '')}" + (f" [{default}]" if default != "" else "")
    return click.option(row.flag, row.name, default=None, multiple=row.many, help=shown)

"""Flags that follow from the settings' declarations."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ovsnet.config import Group, Setting, Settings, declared, load

Function = TypeVar("Function", bound=Callable[..., Any])


class Number(click.FloatRange):
    """A number within bounds. NaN is none: it compares with no bound, so click would let it pass."""

    name = "number"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


Reload = Callable[[], Settings]


def with_settings(
    *wanted: Group | str, reloadable: bool = False, kind: type[Settings] = Settings
) -> Callable[[Function], Callable[..., Any]]:
    """Give a command ``--config`` and the flags of whole groups, or of single settings; it gets a loaded ``settings``.

    A ``reloadable`` one also gets ``reload``, which reads the same sources again.
    """
    taken = [setting for setting in declared(kind) if setting.group in wanted or setting.name in wanted]
    assert {each for each in wanted if isinstance(each, str)} <= {setting.name for setting in taken}

    def decorate(function: Function) -> Callable[..., Any]:
        @functools.wraps(function)
        def loaded(config: str | None, **arguments: object) -> object:
            flags = {setting.name: arguments.pop(setting.name) for setting in taken}
            file = config or os.environ.get("OVSNET_CONFIG")
            reload = functools.partial(load, file, os.environ, flags, kind=kind)
            if reloadable:
                arguments["reload"] = reload
            return function(settings=reload(), **arguments)

        command: Callable[..., Any] = click.option("--config", metavar="FILE", help="TOML file with settings.")(loaded)
        for setting in reversed(taken):
            command = _option(setting)(command)
        return command

    return decorate


def _option(setting: Setting) -> Callable[[Function], Function]:
    default = ", ".join(setting.default) if isinstance(setting.default, tuple) else setting.default
    shown = f"{setting.description.replace('`', '')}" + (f" [{default}]" if default != "" else "")
    return click.option(setting.flag, setting.name, default=None, multiple=setting.many, help=shown)

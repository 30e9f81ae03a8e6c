"""Flags that follow from the settings' declarations, and the types of others."""

from __future__ import annotations

import errno
import functools
import math
import os
import sys
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import click
from msgspec import inspect

from ovsnet.config import Group, Setting, Settings, declared, load
from ovsnet.config.duration import EXAMPLES, seconds, written
from ovsnet.files import MOST, read_bytes

Function = TypeVar("Function", bound=Callable[..., Any])


class Number(click.FloatRange):
    """A number within bounds. NaN is refused: it compares with no bound, so click would accept it."""

    name = "number"

    def convert(self, value: float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is not a number.", param, ctx)
        return number


class Whole(click.IntRange):
    """A whole number within bounds, which a refusal names."""

    name = "number"

    def convert(self, value: int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            bounds = f"of at least {self.min}" if self.max is None else f"from {self.min} to {self.max}"
            self.fail(f"{value!r} is not a whole number {bounds}.", param, ctx)


class Duration(click.types.FloatParamType):  # click 8.2 has no ParamType[float]
    """A time within bounds, in seconds. Any number that Python can read is accepted, such as ``1e3`` or ``inf``: before
    there were units, that was the only form."""

    name = "duration"

    def __init__(self, least: float, most: float = math.inf) -> None:
        self._least, self._most = least, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number = _number(str(value))
        if math.isnan(number):
            self.fail(f"{value!r} is not a duration, such as {EXAMPLES}.", param, ctx)
        if not self._least <= number <= self._most:
            most = f" and at most {written(self._most)}" if self._most < math.inf else ""
            self.fail(f"{value!r} is out of range: it must be at least {written(self._least)}{most}.", param, ctx)
        return number


def _number(text: str) -> float:
    if (number := seconds(text)) is not None:
        return number
    try:
        return float(text)
    except ValueError:
        return math.nan


class Document(NamedTuple):
    """The text of a file or of standard input, and what to call it."""

    name: str
    text: str


def read_document(ctx: click.Context, param: click.Parameter, value: str | None) -> Document | None:
    """The callback of an option that takes a file, or ``-`` for standard input. ``click.File`` would wait for a FIFO's
    writer and read as much as a device has."""
    if value is None:
        return None
    name = "standard input" if value == "-" else value
    try:
        return Document(name, _bytes(value).decode())
    except OSError as error:
        why = error.strerror or str(error)
        raise click.BadParameter(f"Cannot read {name}: {why}. - reads standard input.", ctx, param) from error
    except UnicodeDecodeError as error:
        raise click.BadParameter(f"{name} is not UTF-8: {error.reason} at byte {error.start}.", ctx, param) from error


def _bytes(path: str) -> bytes:
    if path != "-":
        return read_bytes(path, MOST)
    found = sys.stdin.buffer.read(MOST + 1)
    if len(found) > MOST:
        raise OSError(errno.EFBIG, f"it has more than {MOST} bytes")
    return found


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
            flags = {setting.name: _given(setting, arguments) for setting in taken}
            file = config or os.environ.get("OVSNET_CONFIG")
            reload = functools.partial(load, file, os.environ, flags, kind=kind)
            if reloadable:
                arguments["reload"] = reload
            return function(settings=reload(), **arguments)

        command: Callable[..., Any] = click.option("--config", metavar="FILE", help="TOML file with settings.")(loaded)
        for setting in reversed(taken):
            command = _flags(setting)(command)
        return command

    return decorate


class _Flag(click.Option):
    """The flag of a setting. Its type is for help and completion: ``load`` validates the value, as it does with the
    file and the environment, and with the same messages."""

    def __init__(self, *args: Any, setting: Setting, **options: Any) -> None:  # noqa: ANN401
        super().__init__(*args, **options)
        self._setting = setting

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:  # noqa: ANN401
        return tuple(value) if isinstance(value, list) else value

    def get_help_extra(self, ctx: click.Context) -> click.types.OptionHelpExtra:
        extra: click.types.OptionHelpExtra = {}
        if self._setting.written_default:
            extra["default"] = self._setting.written_default
        if isinstance(self._setting.type, inspect.IntType):
            extra["range"] = f"{self._setting.type.ge} to {self._setting.type.le}"
        return extra


def _flags(setting: Setting) -> Callable[[Function], Function]:
    shown = setting.description.replace("`", "")
    option = functools.partial(click.option, setting.flag, setting.name, cls=_Flag, setting=setting, default=None)
    if not isinstance(setting.type, inspect.BoolType):
        kind, metavar = _kind(setting)
        return option(multiple=setting.many, type=kind, metavar=metavar, help=shown)

    def both(function: Function) -> Function:
        same = f"The same as {setting.flag} false."
        no = click.option(setting.flag.replace("--", "--no-", 1), _no(setting), is_flag=True, help=same)
        yes = option(is_flag=False, flag_value="true", metavar="[true|false]", help=shown)
        return yes(no(function))

    return both


def _no(setting: Setting) -> str:
    return f"no_{setting.name}"


def _given(setting: Setting, arguments: dict[str, object]) -> object:
    value = arguments.pop(setting.name)
    return "false" if arguments.pop(_no(setting), False) else value


def _kind(setting: Setting) -> tuple[click.ParamType[Any], str | None]:
    """The type, and its placeholder in help where click has none for it."""
    match setting.type:
        case inspect.LiteralType(values=values):
            return click.Choice([str(each) for each in values]), None
        case inspect.FloatType(le=most):
            return Duration(0.0, float(most or 0)), None
        case inspect.IntType():
            return click.INT, "NUMBER"
    assert setting.form is not None
    is_path = setting.form.name in ("FILE", "DIRECTORY")
    return click.Path() if is_path else click.STRING, setting.form.name

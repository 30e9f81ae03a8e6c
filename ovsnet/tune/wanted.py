"""What is wanted: a profile, a TOML file, ``--set``. Later ones win. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ovsnet.config.toml import parse
from ovsnet.errors import ConfigError
from ovsnet.texts import likely, whole_number
from ovsnet.tune.catalogue import knob_named
from ovsnet.tune.knob import Knob
from ovsnet.tune.profiles import PROFILES


class Wanted(msgspec.Struct, frozen=True):
    """A value for a knob, or None to remove it. ``explicit`` unless it comes from a profile, whose values that do
    nothing here are left out instead of refused."""

    knob: Knob
    value: str | None
    reason: str
    explicit: bool = True
    above_cores: int = 0


def wanted(
    *, profile: str = "", toml: str = "", toml_name: str = "", pairs: Iterable[str] = (), force: bool = False
) -> list[Wanted]:
    """``toml`` is text with ``knob = value``, where an empty text removes, and perhaps ``profile = "NAME"``.

    Raises ConfigError.
    """
    table = parse(toml, toml_name or "The text")
    of_file = str(table.pop("profile", ""))
    found = {each.knob.name: each for each in _of_profile(profile or of_file)}
    for name, value in table.items():
        found[name] = _one(name, _text(name, value) or None, toml_name, force=force)
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ConfigError(f"{pair!r} is not a setting.", remedy="Write --set knob=value; --set knob= removes it.")
        found[name] = _one(name, text or None, "--set", force=force)
    return list(found.values())


def checked(knob: Knob, text: str, *, force: bool = False) -> str:
    """``text`` as it is written to the database. ``force`` permits what is legal and harmful, not what is not a value.

    Raises ConfigError with what the knob takes.
    """
    if knob.place is None:
        raise ConfigError(f"{knob.name} cannot be set in a database.", remedy=knob.note)
    if knob.is_flag:
        if text not in ("true", "false"):
            raise ConfigError(f"{knob.name} is no {text!r}.", remedy="It takes true or false.")
        if text == "true" and knob.harm and not force:
            raise ConfigError(f"{knob.name}=true is refused. {knob.harm}", remedy="--force insists.")
        return text
    value = whole_number(text)
    if value is None or value > knob.bounds[1]:
        raise ConfigError(f"{knob.name} cannot be {text!r}.", remedy=_takes(knob))
    if not force:
        _refuse_harm(knob, value)
    return str(value)


def _refuse_harm(knob: Knob, value: int) -> None:
    if value == 0 and not knob.zero_is_safe:
        raise ConfigError(f"{knob.name}=0 is not safe. {knob.zero}", remedy=f"{_takes(knob)} --force insists.")
    if value and (value < knob.bounds[0] or knob.takes(value) != value):
        why = "That is too low to be intended." if knob.takes(value) == value else knob.outcome(value)
        raise ConfigError(f"{knob.name}={value} is refused. {why}", remedy=f"{_takes(knob)} --force insists.")


def _takes(knob: Knob) -> str:
    low, high = knob.bounds
    unit = f" {knob.unit}" if knob.unit else ""
    return f"It takes {'0, or ' if knob.zero_is_safe else ''}{low} to {high}{unit}."


def _one(name: str, text: str | None, origin: str, *, force: bool) -> Wanted:
    knob = knob_named(name)
    return Wanted(knob, None if text is None else checked(knob, text, force=force), origin)


def _of_profile(name: str) -> Iterable[Wanted]:
    if not name:
        return
    if name not in PROFILES:
        raise ConfigError(f"There is no profile {name!r}.", remedy=likely(name, PROFILES, "The profiles"))
    for entry in PROFILES[name]:
        yield Wanted(knob_named(entry.knob), entry.value, entry.source, explicit=False, above_cores=entry.above_cores)


def _text(name: str, value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | str():
            return str(value)
        case Mapping() | list():
            raise ConfigError(f"{name} holds more than a value.", remedy="Write one `knob = value` a line.")
    raise ConfigError(f"{name} cannot be {value!r}.", remedy="Write a whole number, true or false.")

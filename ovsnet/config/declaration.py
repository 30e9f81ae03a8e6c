"""What follows from each setting's declaration: its names, its type with choices and bounds, its group."""

from __future__ import annotations

import functools
from typing import get_args, get_type_hints

import msgspec
from msgspec import inspect

from ovsnet.config.settings import Group, Settings


class Setting(msgspec.Struct, frozen=True):
    """One setting as the README, ``--help`` and the environment name it, with its type, choices and bounds."""

    name: str
    flag: str
    variable: str
    default: object
    description: str
    group: Group
    type: inspect.Type

    @property
    def many(self) -> bool:
        """Whether it holds several values."""
        return isinstance(self.type, inspect.VarTupleType)

    @property
    def is_duration(self) -> bool:
        """Whether it is a time in seconds, as every setting with a fraction is."""
        return isinstance(self.type, inspect.FloatType)


@functools.cache
def declared(kind: type[Settings] = Settings) -> tuple[Setting, ...]:
    """All settings in order of declaration."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    hints = get_type_hints(kind, include_extras=True)
    return tuple(_setting(field, hints[field.name]) for field in described.fields)


def _setting(field: inspect.Field, hint: object) -> Setting:
    assert isinstance(field.type, inspect.Metadata), f"{field.name} needs a description"
    (group,) = (each for each in get_args(hint) if isinstance(each, Group))
    return Setting(
        name=field.name,
        flag="--" + field.name.replace("_", "-"),
        variable="OVSNET_" + field.name.upper(),
        default=field.default,
        description=(field.type.extra_json_schema or {})["description"],
        group=group,
        type=field.type.type,
    )

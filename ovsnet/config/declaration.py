"""What follows from each setting's declaration: its names, its type with choices and bounds, its group."""

from __future__ import annotations

import functools
from typing import get_args, get_type_hints

import msgspec
from msgspec import inspect

from ovsnet.config.duration import EXAMPLES, written
from ovsnet.config.settings import Form, Group, Settings
from ovsnet.texts import listed


class Setting(msgspec.Struct, frozen=True):
    """One setting as the README, ``--help`` and the environment name it, with its type, choices and bounds. ``form`` is
    that of a text, or of each in a list of them."""

    name: str
    flag: str
    variable: str
    default: object
    description: str
    group: Group
    type: inspect.Type
    form: Form | None

    @property
    def many(self) -> bool:
        """Whether it holds several values."""
        return isinstance(self.type, inspect.VarTupleType)

    @property
    def is_duration(self) -> bool:
        """Whether it is a time in seconds, as every setting with a fraction is."""
        return isinstance(self.type, inspect.FloatType)

    @property
    def written_default(self) -> str:
        """The default as people write it in the environment; empty when it is."""
        match self.default:
            case tuple():
                return ", ".join(self.default)
            case bool():
                return str(self.default).lower()
            case float():
                return written(self.default)
        return str(self.default)

    @property
    def allowed(self) -> str:
        """What it may be, to follow "It must be"."""
        match self.type:
            case inspect.VarTupleType(min_length=least) if self.form is not None:
                return f"a list of {'one text or more' if least else 'texts'}, each of them {self.form.value}"
            case inspect.LiteralType(values=values):
                return listed([str(each) for each in values], "or")
            case inspect.BoolType():
                return "true or false"
            case inspect.IntType(ge=least, le=most):
                return f"a whole number from {least} to {most}"
            case inspect.FloatType(le=most):
                return f"a duration of at most {written(float(most or 0))}, such as {EXAMPLES}"
        assert self.form is not None
        return f"a text: {self.form.value}"


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
    form = next((each for each in get_args(hint) if isinstance(each, Form)), None)
    is_text = isinstance(field.type.type, inspect.StrType | inspect.VarTupleType)
    assert is_text == (form is not None), f"{field.name} needs a Form if it is a text"
    return Setting(
        name=field.name,
        flag="--" + field.name.replace("_", "-"),
        variable="OVSNET_" + field.name.upper(),
        default=field.default,
        description=(field.type.extra_json_schema or {})["description"],
        group=group,
        type=field.type.type,
        form=form,
    )

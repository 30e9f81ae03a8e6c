"""What follows from the declaration of a setting."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import click
import pytest
from click.testing import CliRunner
from msgspec import Meta, inspect

from ovsnet.cli.options import with_settings
from ovsnet.config import Group, Settings, declared
from ovsnet.deploy.tables import settings_table
from ovsnet.errors import ConfigError


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_each_setting_is_named_from_its_declaration(name: str) -> None:
    setting = next(each for each in declared() if each.name == name)
    assert setting.flag == "--" + name.replace("_", "-")
    assert setting.variable == "OVSNET_" + name.upper()
    assert setting.description.endswith(".")
    assert setting.default == getattr(Settings(), name)
    assert setting.many == isinstance(setting.default, tuple)
    assert isinstance(setting.group, Group)


def test_setting_knows_its_type_with_choices_and_bounds() -> None:
    types = {setting.name: setting.type for setting in declared()}
    assert types["southbound"] == inspect.LiteralType(("auto", "off", "on"))
    assert types["interval"] == inspect.FloatType(gt=0, le=86400)
    assert types["rise"] == inspect.IntType(ge=1, le=1000)
    assert types["listen_shared"] == inspect.BoolType()
    assert types["listen"] == inspect.VarTupleType(inspect.StrType())


class WithColour(Settings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings, and one that a test declares."""

    colour: Annotated[Literal["red", "green"], Group.TUNING, Meta(description="Colour of the switch.")] = "red"


def test_one_field_is_all_that_a_setting_needs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its flag on the commands of its group, its variable, its key, its checks and its row follow."""
    loaded: list[object] = []

    @click.command()
    @with_settings(Group.TUNING, kind=WithColour)
    def command(settings: WithColour) -> None:
        loaded.append(settings.colour)

    def run(*arguments: str) -> str:
        return CliRunner().invoke(command, arguments, catch_exceptions=False, terminal_width=100).output

    assert re.search(r"--colour \[green\|red\] +Colour of the switch\. +\[default: red\]\n", run("--help"))
    run()
    toml = tmp_path / "ovsnet.toml"
    toml.write_text('colour = "green"')
    run("--config", str(toml))
    monkeypatch.setenv("OVSNET_COLOUR", "red")
    run("--config", str(toml))
    run("--colour", "green")
    assert loaded == ["red", "green", "red", "green"]
    with pytest.raises(ConfigError, match=r"^colour in the command line cannot be 'blue'\.$") as caught:
        run("--colour", "blue")
    assert caught.value.remedy == "It must be green or red."
    assert "| `colour` | `--colour` | `OVSNET_COLOUR` | `red` | Colour of the switch. |" in settings_table(WithColour)

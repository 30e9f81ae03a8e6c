"""Flags that follow from the settings, and which source of a setting wins."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import click
import pytest
from click.testing import CliRunner

from ovsnet.cli import ovsnet
from ovsnet.cli.options import Number, with_settings
from ovsnet.config import Group, Settings, declared


class Run(Protocol):
    """Runs a command with these flags."""

    def __call__(self, *arguments: str) -> Settings: ...


@pytest.fixture
def run() -> Run:
    """The settings that a command gets."""
    got: list[Settings] = []

    @click.command()
    @with_settings("bridge", "listen", "interval")
    def command(settings: Settings) -> None:
        got.append(settings)

    def invoke(*arguments: str) -> Settings:
        CliRunner().invoke(command, arguments, catch_exceptions=False)
        return got[-1]

    return invoke


@pytest.mark.parametrize("text", ["nan", "-1", "x"])
def test_number_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter):
        Number(0, 10).convert(text, None, None)  # type: ignore[arg-type]


def test_every_flag_that_takes_a_number_refuses_nan() -> None:
    """click's own range lets it pass, for it compares with no bound."""
    kinds = [option.type for option in options(ovsnet, click.Context(ovsnet))]
    assert {type(kind) for kind in kinds if isinstance(kind, type(click.FLOAT))} == {Number}


def options(command: click.Command, context: click.Context) -> Iterator[click.Parameter]:
    """Those of a command and of all below it."""
    yield from command.params
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from options(below, context)


def test_without_any_source_the_defaults_hold(run: Run) -> None:
    assert run() == Settings()


def test_flags_are_converted_and_may_be_repeated_where_there_may_be_many(run: Run) -> None:
    settings = run("--interval", "0.5", "--listen", "127.0.0.1:1", "--listen", "unix:/s")
    assert settings.interval == 0.5
    assert settings.listen == ("127.0.0.1:1", "unix:/s")


def test_flags_win_over_the_environment_and_that_over_the_file(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "c.toml"
    file.write_text('bridge = ["file"]\ninterval = 1.5\ntimeout = 7.0\n')
    monkeypatch.setenv("OVSNET_BRIDGE", "environment")
    monkeypatch.setenv("OVSNET_INTERVAL", "2.5")
    settings = run("--config", str(file), "--bridge", "flag")
    assert (settings.bridge, settings.interval, settings.timeout) == (("flag",), 2.5, 7.0)


def test_file_may_be_named_by_the_environment(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "c.toml"
    file.write_text("interval = 3.5\n")
    monkeypatch.setenv("OVSNET_CONFIG", str(file))
    assert run().interval == 3.5


def test_help_of_a_flag_has_its_description_and_default() -> None:
    @click.command()
    @with_settings(*Group)
    def command(settings: Settings) -> None: ...

    out = CliRunner().invoke(command, ["--help"], terminal_width=200).output
    for setting in declared():
        assert setting.flag in out
    assert "[br-int]" in out
    assert "[127.0.0.1:10670]" in out


def test_group_gives_the_flags_of_its_settings_and_a_name_its_own() -> None:
    @click.command()
    @with_settings(Group.TLS, "bridge")
    def command(settings: Settings) -> None: ...

    assert [option.name for option in command.params] == ["bridge", "tls_key", "tls_certificate", "tls_ca", "config"]


def test_name_that_is_no_setting_is_a_mistake_in_the_command() -> None:
    with pytest.raises(AssertionError):
        with_settings("bridges")

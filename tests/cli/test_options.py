"""Flags that follow from the settings, and which source of a setting wins."""

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import click
import pytest
from click.testing import CliRunner
from msgspec import inspect

from ovsnet.cli import ovsnet
from ovsnet.cli.options import Duration, Number, Whole, with_settings
from ovsnet.config import Group, Setting, Settings, declared
from ovsnet.errors import ConfigError, UnfitEnvironment


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


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5.0), ("5s", 5.0), ("500ms", 0.5), ("2m", 120.0), (".5 s", 0.5), ("1e3", 1000.0), ("+5", 5.0), (5.0, 5.0)],
)
def test_duration_is_read_with_its_unit_and_as_any_number(text: str | float, number: float) -> None:
    assert Duration(0, 1000).convert(text, None, None) == number


@pytest.mark.parametrize("text", ["nan", "x", "", "5x"])
def test_what_is_no_duration_is_refused_with_examples(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a duration, such as 5, 5s, 500ms or 2m\.$"):
        Duration(0).convert(text, None, None)


@pytest.mark.parametrize("text", ["19ms", "-1", "2h", "inf"])
def test_duration_out_of_range_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"it must be at least 20ms and at most 1h\.$"):
        Duration(0.02, 3600).convert(text, None, None)


def test_duration_may_be_for_ever_where_it_has_no_end() -> None:
    assert Duration(0).convert("inf", None, None) == math.inf


def test_every_flag_that_takes_a_number_refuses_nan() -> None:
    """click's own range lets it pass, for it compares with no bound."""
    kinds = [option.type for option in options(ovsnet, click.Context(ovsnet))]
    assert {type(kind) for kind in kinds if isinstance(kind, type(click.FLOAT))} == {Number, Duration}


@pytest.mark.parametrize("text", ["0", "101", "1.5", "many", ""])
def test_what_is_no_whole_number_is_refused_with_the_range(text: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a whole number from 1 to 100\.$"):
        Whole(1, 100).convert(text, None, None)  # type: ignore[arg-type]


def test_whole_number_without_an_end_is_refused_with_its_beginning() -> None:
    with pytest.raises(click.BadParameter, match=r"'-1' is not a whole number of at least 0\.$"):
        Whole(0).convert("-1", None, None)  # type: ignore[arg-type]


def test_every_flag_that_takes_a_whole_number_of_a_range_names_it_when_it_refuses() -> None:
    kinds = {type(option.type) for option in options(ovsnet, click.Context(ovsnet))}
    assert {kind for kind in kinds if issubclass(kind, click.IntRange)} == {Whole}


TEXTS = {"--image", "--namespace"}
"""Flags of any text at all."""


def test_no_flag_is_shown_as_text_but_these() -> None:
    context = click.Context(ovsnet)
    flags = [each for each in options(ovsnet, context) if isinstance(each, click.Option) and not each.is_flag]
    shown = {each.opts[0] for each in flags if "TEXT" in each.make_metavar(context)}
    assert shown <= TEXTS


def test_every_time_that_a_command_takes_is_a_duration_with_its_unit() -> None:
    context = click.Context(ovsnet)
    flags = [each for each in options(ovsnet, context) if isinstance(each, click.Option)]
    assert "SECONDS" not in {each.make_metavar(context) for each in flags}
    times = [each for each in flags if each.make_metavar(context) == "DURATION"]
    assert {"--timeout", "--every", "--interval", "--deadline", "--probe-interval"} <= {each.opts[0] for each in times}
    assert {type(each.type) for each in times} == {Duration}
    shown = [each.get_help_extra(context).get("default", "0s") for each in times]
    assert [each for each in shown if not re.fullmatch(r"[0-9.]+(ms|s|m|h)", each)] == []


def test_timeout_of_a_command_takes_a_unit() -> None:
    """It gets as far as to the run directory."""
    for text in ("500ms", "2s", "1"):
        done = CliRunner().invoke(ovsnet, ["check", "--timeout", text, "--rundir", "/nonexistent"])
        assert isinstance(done.exception, UnfitEnvironment)


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


@click.command()
@with_settings(*Group)
def everything(settings: Settings) -> None:
    """All flags of settings; it prints those that are not as by default."""
    click.echo({name: value for name in Settings.__struct_fields__
                if (value := getattr(settings, name)) != getattr(Settings(), name)})  # fmt: skip


@pytest.mark.parametrize("setting", declared(), ids=lambda setting: setting.name)
def test_help_of_a_flag_has_its_kind_its_range_and_its_default(setting: Setting) -> None:
    page = CliRunner().invoke(everything, ["--help"], terminal_width=200).output
    texts = {text.split()[0]: " ".join(text.split()) for text in re.split(r"\n  (?=-)", page)}
    kinds = {
        inspect.LiteralType: f"[{'|'.join(map(str, getattr(setting.type, 'values', ())))}]",
        inspect.BoolType: "[true|false]",
        inspect.FloatType: "DURATION",
        inspect.IntType: "NUMBER",
    }
    kind = setting.form.name if setting.form is not None else kinds[type(setting.type)]
    bounds = f"; {setting.type.ge} to {setting.type.le}" if isinstance(setting.type, inspect.IntType) else ""
    assert texts[setting.flag].startswith(f"{setting.flag} {kind} ")
    if setting.written_default:
        assert texts[setting.flag].endswith(f" [default: {setting.written_default}{bounds}]")


@pytest.mark.parametrize(
    ("words", "shared"),
    [
        ("--listen-shared", True),
        ("--listen-shared true", True),
        ("--listen-shared True", True),
        ("--listen-shared 1", True),
        ("--listen-shared=true", True),
        ("--listen-shared --interval 2s", True),
        ("--listen-shared false", False),
        ("--listen-shared=0", False),
        ("--no-listen-shared", False),
    ],
)
def test_yes_or_no_needs_no_value_and_takes_one(words: str, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OVSNET_LISTEN_SHARED", str(not shared))
    done = CliRunner().invoke(everything, words.split(), catch_exceptions=False)
    assert ("listen_shared" in done.output) == shared


@pytest.mark.parametrize("setting", declared(), ids=lambda setting: setting.name)
def test_flag_takes_its_own_default(setting: Setting) -> None:
    done = CliRunner().invoke(everything, [f"{setting.flag}={setting.written_default}"], catch_exceptions=False)
    assert (done.exit_code, done.output) == (0, "{}\n")


@pytest.mark.parametrize("setting", declared(), ids=lambda setting: setting.name)
def test_flag_that_is_given_empty_is_as_if_it_were_not_given(setting: Setting) -> None:
    """As in ``--southbound "$SOUTHBOUND"``. An empty list of bridges is one that watches nothing."""
    done = CliRunner().invoke(everything, [setting.flag, ""])
    assert done.exit_code == (1 if setting.name == "bridge" else 0)


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        ("--southbound maybe", "auto, off or on"),
        ("--log-format xml", "auto, human, journal or json"),
        ("--restarts 0", "a whole number from 1 to 100"),
        ("--max-connections many", "a whole number from 1 to 65536"),
        ("--listen-shared maybe", "true or false"),
        ("--interval soon", "such as 5, 5s, 500ms or 2m"),
        ("--interval 25h", "a duration of at most 24h"),
    ],
)
def test_value_that_a_flag_refuses_is_answered_with_what_it_takes(words: str, allowed: str) -> None:
    done = CliRunner().invoke(everything, words.split())
    assert isinstance(done.exception, ConfigError)
    assert repr(words.split()[1]) in str(done.exception)
    assert allowed in done.exception.remedy


def test_group_gives_the_flags_of_its_settings_and_a_name_its_own() -> None:
    @click.command()
    @with_settings(Group.TLS, "bridge")
    def command(settings: Settings) -> None: ...

    assert [option.name for option in command.params] == ["bridge", "tls_key", "tls_certificate", "tls_ca", "config"]


def test_name_that_is_no_setting_is_a_mistake_in_the_command() -> None:
    with pytest.raises(AssertionError):
        with_settings("bridges")

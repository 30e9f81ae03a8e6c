"""Settings: where they come from, which wins, and how a mistake is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ovsnet.cli.serve import serve
from ovsnet.config import Setting, Settings, declared, load
from ovsnet.errors import AddressError, ConfigError


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "ovsnet.toml"


def test_defaults_stand_when_nothing_is_said() -> None:
    assert load() == Settings()
    assert Settings().tls is None


def test_flags_win_over_environment_over_file_over_defaults(toml: Path) -> None:
    toml.write_text("interval = 2\ntimeout = 2\nhung_after = 2\n")
    environ = {"OVSNET_TIMEOUT": "3", "OVSNET_HUNG_AFTER": "3", "HOME": "/"}
    settings = load(toml, environ, {"hung_after": "4", "interval": None})
    assert (settings.interval, settings.timeout, settings.hung_after) == (2.0, 3.0, 4.0)
    assert settings.dead_after == Settings().dead_after


@pytest.mark.parametrize("nothing", [None, "", ()])
def test_flag_that_was_not_given_overrides_nothing(nothing: object) -> None:
    assert load(None, {"OVSNET_RUNDIR": "/r"}, {"rundir": nothing}).rundir == "/r"


def test_empty_variable_is_a_value() -> None:
    """It takes back what the file says."""
    assert load(None, {"OVSNET_RUNDIR": ""}).rundir == ""


def test_list_has_commas_in_the_environment_and_brackets_in_the_file(toml: Path) -> None:
    expected = ("127.0.0.1:1", "[::1]:1", "unix:/s")
    assert load(None, {"OVSNET_LISTEN": "127.0.0.1:1, [::1]:1,unix:/s"}).listen == expected
    toml.write_text('listen = ["127.0.0.1:1", "[::1]:1", "unix:/s"]')
    assert load(toml).listen == expected
    assert load(None, {}, {"listen": expected}).listen == expected


@pytest.mark.parametrize("setting", declared(), ids=lambda setting: setting.name)
def test_each_setting_can_be_set_from_the_environment(setting: Setting) -> None:
    """To its own default, as text: what the README prints can be typed."""
    assert getattr(load(None, {setting.variable: setting.written_default}), setting.name) == setting.default


def test_unknown_key_is_named_with_its_file(toml: Path) -> None:
    toml.write_text("intervall = 2\n")
    with pytest.raises(ConfigError, match=r"no setting 'intervall'.*ovsnet\.toml") as caught:
        load(toml)
    assert caught.value.remedy.startswith("Did you mean interval? The settings are listed in docs/settings.md, ")


def test_unknown_variable_is_named() -> None:
    with pytest.raises(ConfigError, match="OVSNET_INTERVALL") as caught:
        load(None, {"OVSNET_INTERVALL": "2"})
    assert caught.value.remedy.startswith("Did you mean OVSNET_INTERVAL? The variables are listed in docs/")


def test_place_of_the_list_is_named_for_a_name_like_none_of_them() -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {}, {"xyzzy": "2"})
    assert caught.value.remedy.startswith("The settings are listed in docs/settings.md, and `ovsnet serve --help` ")
    shown = CliRunner().invoke(serve, ["--help"]).output
    assert all(f"{setting.flag} " in shown for setting in declared())


def test_unknown_flag_is_named() -> None:
    with pytest.raises(ConfigError, match="'speed', which is in the command line"):
        load(None, {}, {"speed": 1})


def test_variable_of_the_config_file_is_no_setting() -> None:
    assert load(None, {"OVSNET_CONFIG": "/x"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("interval", "0"),
        ("interval", "-1"),
        ("interval", "soon"),
        ("interval", "nan"),
        ("interval", "inf"),
        ("interval", "86401"),
        ("interval", ""),
        ("max_connections", "0"),
        ("max_connections", "65537"),
        ("max_connections", "1.5"),
    ],
)
def test_value_that_cannot_be_used_is_named_with_its_source(name: str, text: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name} in the environment cannot be '{text}'\.$"):
        load(None, {f"OVSNET_{name.upper()}": text})


def test_flag_that_cannot_be_used_is_named() -> None:
    with pytest.raises(ConfigError, match=r"^timeout in the command line cannot be '-1'"):
        load(None, {}, {"timeout": "-1"})


@pytest.mark.parametrize(
    "text", ["interval = [1]", "interval = 1979-05-27", 'listen = "x"', "listen = [1]", "rundir = 5", "[interval]\na=1"]
)
def test_value_of_another_type_in_the_file_is_an_error(toml: Path, text: str) -> None:
    toml.write_text(text)
    with pytest.raises(ConfigError, match=r"^(interval|listen|rundir) in .*ovsnet\.toml cannot be ") as caught:
        load(toml)
    assert caught.value.remedy.startswith("It must be a ")


@pytest.mark.parametrize("setting", declared(), ids=lambda setting: setting.name)
def test_refusal_names_what_is_allowed(setting: Setting) -> None:
    with pytest.raises(ConfigError, match=f"^{setting.name} in the command line cannot be ") as caught:
        load(None, {}, {setting.name: {"neither": "this"}})
    assert caught.value.remedy == f"It must be {setting.allowed}."


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("southbound", "maybe", "auto, off or on"),
        ("switch", "maybe", "off or on"),
        ("tune_mode", "maybe", "enforce, observe or off"),
        ("restarts", "0", "a whole number from 1 to 1000"),
        ("rise", "many", "a whole number from 1 to 1000"),
        ("listen_shared", "maybe", "true or false"),
        ("socket_mode", "rw", "a text: a mode in octal digits, such as 0660"),
        ("bridge", "", "a list of one text or more, each of them a name"),
        ("interval", "48h", "a duration of at most 24h, such as 5, 5s, 500ms or 2m"),
        ("interval", "soon", "a duration of at most 24h, such as 5, 5s, 500ms or 2m"),
    ],
)
def test_remedy_of_a_value_that_cannot_be_used(name: str, text: str, allowed: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(None, {f"OVSNET_{name.upper()}": text})
    assert caught.value.remedy == f"It must be {allowed}."


SERVICE = {
    "OVSNET_SERVICE_HOST": "10.96.0.7",
    "OVSNET_SERVICE_PORT": "80",
    "OVSNET_SERVICE_PORT_HTTP": "80",
    "OVSNET_PORT": "tcp://10.96.0.7:80",
    "OVSNET_PORT_80_TCP": "tcp://10.96.0.7:80",
    "OVSNET_PORT_80_TCP_PROTO": "tcp",
    "OVSNET_PORT_80_TCP_PORT": "80",
    "OVSNET_PORT_80_TCP_ADDR": "10.96.0.7",
}
"""What the kubelet gives a pod beside a Service named ovsnet."""


@pytest.mark.parametrize("name", ["OVSNET", "OVSNET_PAGE"])
def test_variables_of_a_service_of_kubernetes_are_no_settings(name: str) -> None:
    service = {name + variable.removeprefix("OVSNET"): text for variable, text in SERVICE.items()}
    assert load(None, service | {"OVSNET_INTERVAL": "2"}) == Settings(interval=2.0)


@pytest.mark.parametrize("variable", ["OVSNET_PORT", "OVSNET_PAGE_PORT", "OVSNET_HOST", "OVSNET_SERVICE_HOSTS"])
def test_variable_that_only_looks_like_a_services_is_an_unknown_setting(variable: str) -> None:
    others = {"PAGE_SERVICE_HOST": "10.96.0.8"} if variable == "OVSNET_PORT" else SERVICE
    with pytest.raises(ConfigError, match=variable):
        load(None, {**others, variable: "80"})


@pytest.mark.parametrize("content", [b"interval = ", b"a = 1\na = 2", b"\xff\xfe"])
def test_file_that_is_no_toml_says_so(toml: Path, content: bytes) -> None:
    toml.write_bytes(content)
    with pytest.raises(ConfigError, match="is not valid TOML") as caught:
        load(toml)
    assert caught.value.remedy


def test_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        load(tmp_path / "none.toml")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_database_must_be_an_address() -> None:
    assert load(None, {"OVSNET_DATABASE": "tcp:127.0.0.1:6640"}).database == "tcp:127.0.0.1:6640"
    with pytest.raises(AddressError):
        load(None, {"OVSNET_DATABASE": "/run/openvswitch/db.sock"})


@pytest.mark.parametrize("given", ["tls_key", "tls_certificate", "tls_ca"])
def test_tls_files_go_together(given: str) -> None:
    with pytest.raises(ConfigError, match="go together"):
        load(None, {}, {given: "/x.pem"})


def test_tls_files_become_one_value() -> None:
    tls = load(None, {}, {"tls_key": "k", "tls_certificate": "c", "tls_ca": "a"}).tls
    assert tls is not None
    assert (tls.key, tls.certificate, tls.ca) == ("k", "c", "a")


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5.0), ("5s", 5.0), ("0.5", 0.5), (".5 s", 0.5), ("500ms", 0.5), ("2m", 120.0), ("1h", 3600.0)],
)
def test_duration_is_read_with_its_unit_from_every_source(toml: Path, text: str, number: float) -> None:
    toml.write_text(f'interval = "{text}"\n')
    assert load(toml).interval == number
    assert load(None, {"OVSNET_INTERVAL": text}).interval == number
    assert load(None, {}, {"interval": text}).interval == number


def test_flag_takes_commas_as_its_variable_does() -> None:
    found = load(None, {}, {"listen": ("127.0.0.1:1,[::1]:1", " unix:/s ")})
    assert found.listen == ("127.0.0.1:1", "[::1]:1", "unix:/s")

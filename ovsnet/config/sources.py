"""Where settings come from: a TOML file, the environment, flags. What cannot be used is named with its source."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ovsnet.config.declaration import Setting, declared
from ovsnet.config.duration import seconds
from ovsnet.config.settings import Settings
from ovsnet.config.toml import parse
from ovsnet.errors import ConfigError
from ovsnet.files import MOST_DOCUMENT, read_bytes
from ovsnet.io.address import Address
from ovsnet.texts import likely


def load(
    path: str | Path | None = None,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
    *,
    kind: type[Settings] = Settings,
) -> Settings:
    """Merge the sources. Raises ConfigError, which names the key, where it was, and what it may be."""
    merged: dict[str, object] = {}
    for source, values in (
        (str(path), _from_file(path, kind)),
        ("the environment", _from_environment(environ or {}, kind)),
        ("the command line", _from_flags(flags or {}, kind)),
    ):
        _require_names(values, source, kind)
        converted = _in_seconds(values, source, kind)
        _convert(converted, values, source, kind)
        merged |= converted
    settings = _convert(merged, merged, "the settings", kind)
    _check_addresses(settings)
    return settings


def _from_file(path: str | Path | None, kind: type[Settings]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = read_bytes(path, MOST_DOCUMENT)
    except OSError as error:
        raise ConfigError(
            f"The configuration file {path} cannot be read: {error.strerror}.",
            remedy="Correct --config or OVSNET_CONFIG, or the rights of the file.",
        ) from error
    remedy = 'Write a setting on each line, texts in quotes, such as southbound = "auto".'
    return _flat(parse(content, f"The configuration file {path}", remedy=remedy), kind)


def _flat(table: Mapping[str, Any], kind: type[Settings]) -> dict[str, Any]:
    """``mode`` in a table ``[tune]`` is ``tune_mode``. A table whose name begins no setting is left to be refused."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        begins = any(name.startswith(f"{key}_") for name in kind.__struct_fields__)
        is_table = isinstance(value, dict) and begins and key not in kind.__struct_fields__
        found |= {f"{key}_{name}": each for name, each in value.items()} if is_table else {key: value}
    return found


def _from_flags(flags: Mapping[str, object], kind: type[Settings]) -> dict[str, object]:
    """A flag that may be repeated takes commas, too, as its variable does."""
    many = {setting.name for setting in declared(kind) if setting.many}
    given = {key: value for key, value in flags.items() if value not in (None, (), "")}
    return {key: _split(*value) if key in many and isinstance(value, tuple) else value for key, value in given.items()}


def _split(*texts: str) -> list[str]:
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


def _from_environment(environ: Mapping[str, str], kind: type[Settings]) -> dict[str, object]:
    """``OVSNET_*``; an unknown one is an error here as in the file, because a typo that does nothing is worse than
    none."""
    by_variable = {setting.variable: setting for setting in declared(kind)}
    values: dict[str, object] = {}
    for variable, text in environ.items():
        if not variable.startswith("OVSNET_") or variable in NOT_SETTINGS or _is_of_a_service(variable, environ):
            continue
        if (setting := by_variable.get(variable)) is None:
            remedy = likely(variable, by_variable, "The variables", LISTED)
            raise ConfigError(f"There is no setting for the environment variable {variable}.", remedy=remedy)
        values[setting.name] = _split(text) if setting.many else text
    return values


LISTED = "in docs/settings.md, and `ovsnet serve --help` has their flags"

NOT_SETTINGS = frozenset({"OVSNET_CONFIG"})
"""Variables of our prefix that are read elsewhere."""


_SERVICE_HOST = "_SERVICE_HOST"
_OF_A_SERVICE = re.compile(r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?")


def _is_of_a_service(variable: str, environ: Mapping[str, str]) -> bool:
    """A Service whose name begins with ovsnet gives every pod beside it variables of our prefix, unless the pod has
    ``enableServiceLinks: false`` (pkg/kubelet/envvars/envvars.go). Kube-OVN's pods need those of other Services."""
    services = (each.removesuffix(_SERVICE_HOST) for each in environ if each.endswith(_SERVICE_HOST))
    return any(variable.startswith(each) and _OF_A_SERVICE.fullmatch(variable, len(each)) for each in services)


def _in_seconds(values: Mapping[str, object], source: str, kind: type[Settings]) -> dict[str, object]:
    found = dict(values)
    for setting in declared(kind):
        if setting.is_duration and isinstance(text := values.get(setting.name), str):
            if (number := seconds(text)) is None:
                raise _refusal(setting, text, source)
            found[setting.name] = number
    return found


def _require_names(values: Mapping[str, object], source: str, kind: type[Settings]) -> None:
    for key in values:
        if key not in kind.__struct_fields__:
            remedy = likely(key, kind.__struct_fields__, "The settings", LISTED)
            raise ConfigError(f"There is no setting {key!r}, which is in {source}.", remedy=remedy)


_PLACE = re.compile(r"`\$\.(\w+)")
"""Where msgspec says what it could not convert."""


def _convert(values: Mapping[str, object], given: Mapping[str, object], source: str, kind: type[Settings]) -> Settings:
    """The settings, or ConfigError with the value as it was ``given``."""
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        setting = next(each for each in declared(kind) if each.name == _PLACE.findall(str(error))[-1])
        raise _refusal(setting, given[setting.name], source) from error
    except UnicodeError as error:
        raise ConfigError(f"A setting in {source} is not UTF-8: {error}.", remedy="Write it in UTF-8.") from error


def _refusal(setting: Setting, value: object, source: str) -> ConfigError:
    return ConfigError(f"{setting.name} in {source} cannot be {value!r}.", remedy=f"It must be {setting.allowed}.")


def _check_addresses(settings: Settings) -> None:
    if settings.database:
        Address.parse(settings.database)
    if settings.tls is not None and not (settings.tls_key and settings.tls_certificate and settings.tls_ca):
        raise ConfigError("tls_key, tls_certificate and tls_ca go together.", remedy="Name all three files, or none.")
    if any(address.startswith(("ssl:", "https://")) for address in settings.listen) and not settings.serve_certificate:
        raise ConfigError(
            "An ssl: address to serve needs a certificate.", remedy="Set serve_key and serve_certificate."
        )

"""Every setting, declared once.

A field of ``Settings`` is the whole declaration: its TOML key, its environment variable ``OVSNET_<NAME>``, its flag and
the commands that take it, its type and range, its default and its row in the README follow from it.

    interval: Annotated[Seconds, Group.TIMING, Meta(description="Time between two runs of a fast check.")] = 1.0

Later sources win: defaults, TOML file, environment, flags.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

import msgspec
from msgspec import Meta, inspect

from ovsnet.errors import ConfigError
from ovsnet.io.address import Address
from ovsnet.io.listen import Access
from ovsnet.io.tls import ServingTls, Tls

MOST_CONNECTIONS = 65536

Seconds = Annotated[float, Meta(gt=0, le=86400)]


class Group(Enum):
    """Settings that a command takes together."""

    NODE = "where the node is"
    TLS = "who we are at ssl: addresses"
    WATCHING = "what is watched of the node"
    SERVING = "how the agent serves and logs"
    TIMING = "how often, and how soon a verdict falls"
    TUNING = "which knobs are wanted"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person may set. Durations are seconds."""

    rundir: Annotated[
        str,
        Group.NODE,
        Meta(description="Run directory of Open vSwitch. Empty: `OVS_RUNDIR`, else where it runs, else a usual place."),
    ] = ""
    ovn_rundir: Annotated[
        str,
        Group.NODE,
        Meta(description="Run directory of OVN. Empty: `OVN_RUNDIR`, else where OVN runs, else a usual place."),
    ] = ""
    database: Annotated[
        str,
        Group.NODE,
        Meta(description="Address of the Open_vSwitch database. Empty: `db.sock` in the run directory."),
    ] = ""
    bridge: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Group.WATCHING,
        Meta(min_length=1, description="The bridges to watch."),
    ] = ("br-int",)
    southbound: Annotated[
        Literal["auto", "on", "off"],
        Group.WATCHING,
        Meta(
            description="Whether to ask the southbound database too. `auto`: only when its address is on this host, "
            "because every agent of a fleet costs it a connection."
        ),
    ] = "auto"
    listen: Annotated[
        tuple[str, ...],
        Group.SERVING,
        Meta(
            description="Where the agent serves HTTP: `HOST:PORT`, `[::1]:PORT` or `unix:PATH`; HTTPS at "
            "`ssl:HOST:PORT`. Sockets that systemd passes take the place of all of these."
        ),
    ] = ("127.0.0.1:10670",)
    listen_shared: Annotated[
        bool,
        Group.SERVING,
        Meta(
            description="Whether another agent of the same user may serve at the same TCP addresses, as during an "
            "update that starts the new one before it ends the old one."
        ),
    ] = False
    socket_mode: Annotated[
        str, Group.SERVING, Meta(pattern="^0?[0-7]{3}$", description="Mode of the unix sockets that the agent makes.")
    ] = "0660"
    socket_group: Annotated[str, Group.SERVING, Meta(description="Group of those sockets. Empty: the agent's own.")] = (
        ""
    )
    host_names: Annotated[
        tuple[str, ...],
        Group.SERVING,
        Meta(
            description="Names besides this host's own by which a browser may ask for `/`, `/status` and `/events`. "
            "Numbers always may."
        ),
    ] = ()
    serve_key: Annotated[str, Group.SERVING, Meta(description="PEM file of the private key for serving HTTPS.")] = ""
    serve_certificate: Annotated[
        str, Group.SERVING, Meta(description="PEM file of the certificate for serving HTTPS.")
    ] = ""
    serve_client_ca: Annotated[
        str,
        Group.SERVING,
        Meta(
            description="PEM file of the CA that must have signed the clients' certificates. Empty: none is asked for."
        ),
    ] = ""
    log_format: Annotated[
        Literal["auto", "human", "json", "journal"],
        Group.SERVING,
        Meta(
            description="How log lines look. `auto`: for a person in a terminal, with priorities where the journal "
            "reads them, else JSON."
        ),
    ] = "auto"
    interval: Annotated[Seconds, Group.TIMING, Meta(description="Time between two runs of a fast check.")] = 1.0
    timeout: Annotated[
        Seconds, Group.TIMING, Meta(description="How long a check waits for one answer before it calls the peer slow.")
    ] = 1.0
    hung_after: Annotated[
        Seconds,
        Group.TIMING,
        Meta(description="Silence, with proof of no progress, after which a daemon is called hung."),
    ] = 3.0
    dead_after: Annotated[
        Seconds,
        Group.TIMING,
        Meta(description="How long a daemon must be proven dead or hung before `/ovs/livez` fails."),
    ] = 30.0
    start_allowance: Annotated[
        Seconds,
        Group.TIMING,
        Meta(description="How long a start may take before `starting` becomes the name of what is missing."),
    ] = 60.0
    rise: Annotated[
        int,
        Group.TIMING,
        Meta(ge=1, le=1000, description="How many intervals the node must be well before `/readyz` says so again."),
    ] = 1
    fall: Annotated[
        int,
        Group.TIMING,
        Meta(
            ge=1,
            le=1000,
            description="How many intervals an unproven fault must last before `/readyz` fails. "
            "A proven one fails it at once.",
        ),
    ] = 2
    tune_mode: Annotated[
        Literal["off", "observe", "enforce"],
        Group.TUNING,
        Meta(
            description="Whether the agent looks after this node's knobs. `observe` tells what is not as wanted, "
            "`enforce` writes it."
        ),
    ] = "off"
    tune_profile: Annotated[
        str, Group.TUNING, Meta(description="The profile of knobs that is wanted, as in `ovsnet tune plan`.")
    ] = ""
    tune_file: Annotated[
        str, Group.TUNING, Meta(description="TOML file with the knobs that are wanted, as in `ovsnet tune plan`.")
    ] = ""
    tune_interval: Annotated[
        Seconds,
        Group.TUNING,
        Meta(
            description="Time between two looks at the knobs, at least that between two writes, and how long the node "
            "must be ready before the first."
        ),
    ] = 60.0
    max_connections: Annotated[
        int,
        Group.SERVING,
        Meta(
            ge=1,
            le=MOST_CONNECTIONS,
            description="HTTP connections held at once. Whoever comes over that makes those give way that have asked "
            "nothing for longest.",
        ),
    ] = 1024
    tls_key: Annotated[str, Group.TLS, Meta(description="PEM file of our private key, for `ssl:` addresses.")] = ""
    tls_certificate: Annotated[
        str, Group.TLS, Meta(description="PEM file of our certificate, for `ssl:` addresses.")
    ] = ""
    tls_ca: Annotated[str, Group.TLS, Meta(description="PEM file of the CA that signed the peer's certificate.")] = ""

    @property
    def tls(self) -> Tls | None:
        """The TLS files, or None when none is named."""
        if not (self.tls_key or self.tls_certificate or self.tls_ca):
            return None
        return Tls(self.tls_key, self.tls_certificate, self.tls_ca)

    @property
    def access(self) -> Access:
        """Who may connect to the sockets that the agent makes."""
        return Access(int(self.socket_mode, 8), self.socket_group, self.listen_shared)

    @property
    def serving_tls(self) -> ServingTls:
        """The files behind ``ssl:`` listeners."""
        return ServingTls(self.serve_key, self.serve_certificate, self.serve_client_ca)


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
        ("the command line", {key: value for key, value in (flags or {}).items() if value not in (None, (), "")}),
    ):
        _convert(values, source, kind)
        merged |= values
    settings = _convert(merged, "the settings", kind)
    _check_addresses(settings)
    return settings


def _from_file(path: str | Path | None, kind: type[Settings]) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return _flat(tomllib.loads(Path(path).read_text(encoding="utf-8")), kind)
    except OSError as error:
        raise ConfigError(f"The configuration file {path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} is no TOML: {error}.") from error


def _flat(table: Mapping[str, Any], kind: type[Settings]) -> dict[str, Any]:
    """``mode`` in a table ``[tune]`` is ``tune_mode``. A table whose name begins no setting is left to be refused."""
    found: dict[str, Any] = {}
    for key, value in table.items():
        begins = any(name.startswith(f"{key}_") for name in kind.__struct_fields__)
        is_table = isinstance(value, dict) and begins and key not in kind.__struct_fields__
        found |= {f"{key}_{name}": each for name, each in value.items()} if is_table else {key: value}
    return found


def _from_environment(environ: Mapping[str, str], kind: type[Settings]) -> dict[str, object]:
    """``OVSNET_*``; an unknown one is an error here as in the file, because a typo that does nothing is worse than
    none."""
    by_variable = {setting.variable: setting for setting in declared(kind)}
    values: dict[str, object] = {}
    for variable, text in environ.items():
        if not variable.startswith("OVSNET_") or variable in NOT_SETTINGS or _is_of_a_service(variable, environ):
            continue
        if (setting := by_variable.get(variable)) is None:
            raise ConfigError(f"There is no setting for the environment variable {variable}.", remedy=_known(kind))
        parts = [part.strip() for part in text.split(",") if part.strip()]
        values[setting.name] = parts if setting.many else text
    return values


NOT_SETTINGS = frozenset({"OVSNET_CONFIG"})
"""Variables of our prefix that are read elsewhere."""


_SERVICE_HOST = "_SERVICE_HOST"
_OF_A_SERVICE = re.compile(r"_SERVICE_HOST|_SERVICE_PORT(_\w+)?|_PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?")


def _is_of_a_service(variable: str, environ: Mapping[str, str]) -> bool:
    """A Service whose name begins with ovsnet gives every pod beside it variables of our prefix, unless the pod has
    ``enableServiceLinks: false`` (pkg/kubelet/envvars/envvars.go). Kube-OVN's pods need those of other Services."""
    services = (each.removesuffix(_SERVICE_HOST) for each in environ if each.endswith(_SERVICE_HOST))
    return any(variable.startswith(each) and _OF_A_SERVICE.fullmatch(variable, len(each)) for each in services)


def _convert(values: Mapping[str, object], source: str, kind: type[Settings]) -> Settings:
    for key in values:
        if key not in kind.__struct_fields__:
            raise ConfigError(f"There is no setting {key!r}, which stands in {source}.", remedy=_known(kind))
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(f"A setting in {source} cannot be used: {error}.") from error


def _known(kind: type[Settings]) -> str:
    return "The settings are: " + ", ".join(kind.__struct_fields__) + "."


def _check_addresses(settings: Settings) -> None:
    if settings.database:
        Address.parse(settings.database)
    if settings.tls is not None and not (settings.tls_key and settings.tls_certificate and settings.tls_ca):
        raise ConfigError("tls_key, tls_certificate and tls_ca go together.", remedy="Name all three files, or none.")
    if any(address.startswith("ssl:") for address in settings.listen) and not settings.serve_certificate:
        raise ConfigError(
            "An ssl: address to serve needs a certificate.", remedy="Set serve_key and serve_certificate."
        )

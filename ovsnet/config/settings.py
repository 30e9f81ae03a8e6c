"""The settings themselves, each one field, and the groups in which commands take them."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ovsnet.io.listen import Access
from ovsnet.io.tls import ServingTls, Tls

MOST_CONNECTIONS = 65536
MOST_RESTARTS = 1000

Seconds = Annotated[float, Meta(gt=0, le=86400)]


class Form(Enum):
    """What a text stands for; ``--help`` shows the name."""

    DIRECTORY = "the path of a directory"
    FILE = "the path of a file"
    ADDRESS = "an address"
    NAME = "a name"
    MODE = "a mode in octal digits, such as 0660"


class Group(Enum):
    """Settings that a command takes together."""

    NODE = "where the node is"
    TLS = "how ovsnet identifies itself at ssl: addresses"
    WATCHING = "what is watched of the node"
    SERVING = "how the agent serves and logs"
    TIMING = "how often, and how soon a verdict falls"
    TUNING = "which knobs are wanted"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person may set. Durations are seconds."""

    rundir: Annotated[
        str,
        Group.NODE,
        Form.DIRECTORY,
        Meta(description="Run directory of Open vSwitch. Empty: `OVS_RUNDIR`, else where it runs, else a usual place."),
    ] = ""
    ovn_rundir: Annotated[
        str,
        Group.NODE,
        Form.DIRECTORY,
        Meta(description="Run directory of OVN. Empty: `OVN_RUNDIR`, else where OVN runs, else a usual place."),
    ] = ""
    database: Annotated[
        str,
        Group.NODE,
        Form.ADDRESS,
        Meta(description="Address of the Open_vSwitch database. Empty: `db.sock` in the run directory."),
    ] = ""
    bridge: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Group.WATCHING,
        Form.NAME,
        Meta(min_length=1, description="The bridges to watch."),
    ] = ("br-int",)
    encap_behind_nat: Annotated[
        bool,
        Group.WATCHING,
        Meta(
            description="Whether `ovn-encap-ip` is the address of a NAT in front of this host, which no interface of "
            "it has. Then `controller.encapsulation` does not look for it."
        ),
    ] = False
    southbound: Annotated[
        Literal["auto", "on", "off"],
        Group.WATCHING,
        Meta(
            description="Whether to ask the southbound database too. `auto`: only when its address is on this host, "
            "because every agent of a fleet costs it a connection."
        ),
    ] = "auto"
    switch: Annotated[
        Literal["on", "off"],
        Group.WATCHING,
        Meta(
            description="Whether this host has an Open vSwitch. `off`: it has OVN's databases or ovn-northd alone, and "
            "nothing else is asked. It is not guessed: a switch that was stopped leaves as little behind as one that "
            "never was."
        ),
    ] = "on"
    listen: Annotated[
        tuple[str, ...],
        Group.SERVING,
        Form.ADDRESS,
        Meta(
            description="Where the agent serves HTTP: `HOST:PORT`, `[::1]:PORT` or `unix:PATH`; HTTPS at "
            "`ssl:HOST:PORT`. Sockets that systemd passes take the place of all of these."
        ),
    ] = ("127.0.0.1:10670",)
    listen_shared: Annotated[
        bool,
        Group.SERVING,
        Meta(
            description="Whether another agent of the same user may serve at the same TCP addresses, for example "
            "during an update that starts the new agent before it stops the old one."
        ),
    ] = False
    socket_mode: Annotated[
        str,
        Group.SERVING,
        Form.MODE,
        Meta(pattern="^0?[0-7]{3}$", description="Mode of the unix sockets that the agent creates."),
    ] = "0660"
    socket_group: Annotated[
        str, Group.SERVING, Form.NAME, Meta(description="Group of those sockets. Empty: the agent's own.")
    ] = ""
    host_names: Annotated[
        tuple[str, ...],
        Group.SERVING,
        Form.NAME,
        Meta(
            description="Names besides this host's own under which the agent may be asked. Numeric addresses are "
            "always allowed; under any other name it answers probes, and only with yes or no."
        ),
    ] = ()
    serve_key: Annotated[
        str, Group.SERVING, Form.FILE, Meta(description="PEM file of the private key for serving HTTPS.")
    ] = ""
    serve_certificate: Annotated[
        str, Group.SERVING, Form.FILE, Meta(description="PEM file of the certificate for serving HTTPS.")
    ] = ""
    serve_client_ca: Annotated[
        str,
        Group.SERVING,
        Form.FILE,
        Meta(
            description="PEM file of the CA that must have signed the clients' certificates. Empty: clients need no "
            "certificate."
        ),
    ] = ""
    credentials: Annotated[
        str,
        Group.SERVING,
        Form.FILE,
        Meta(
            description="TOML file with the clients that may read more than a probe's answer; see docs/security.md. "
            "It is read again when it changes. Empty: all may. Unix sockets ask for none, nor does HTTPS with "
            "`serve_client_ca`."
        ),
    ] = ""
    open_at: Annotated[
        tuple[str, ...],
        Group.SERVING,
        Form.ADDRESS,
        Meta(description="Addresses of `listen` at which `credentials` are not asked for, such as the loopback's."),
    ] = ()
    log_format: Annotated[
        Literal["auto", "human", "json", "journal"],
        Group.SERVING,
        Meta(
            description="Format of log lines. `auto`: readable on a terminal, with priorities under the journal, else "
            "JSON."
        ),
    ] = "auto"
    interval: Annotated[Seconds, Group.TIMING, Meta(description="Time between two runs of a fast check.")] = 1.0
    timeout: Annotated[
        Seconds, Group.TIMING, Meta(description="How long a check waits for one answer before it calls the peer slow.")
    ] = 1.0
    hung_after: Annotated[
        Seconds,
        Group.TIMING,
        Meta(
            description="How long a daemon must be silent, with proof that it makes no progress, before it is called "
            "hung."
        ),
    ] = 3.0
    dead_after: Annotated[
        Seconds,
        Group.TIMING,
        Meta(description="How long a daemon must be proven dead or hung before `/ovs/livez` fails."),
    ] = 30.0
    broken_after: Annotated[
        Seconds,
        Group.TIMING,
        Meta(
            description="How long a port must be broken before it is reported: one that is being deleted looks broken "
            "for a moment. A port that was broken before the agent started is reported at once."
        ),
    ] = 60.0
    restarts: Annotated[
        int,
        Group.TIMING,
        Meta(
            ge=1, le=MOST_RESTARTS, description="How many restarts of a daemon within `restarts_within` are reported."
        ),
    ] = 3
    restarts_within: Annotated[Seconds, Group.TIMING, Meta(description="For how long a restart counts.")] = 900.0
    restarts_a_day: Annotated[
        int,
        Group.TIMING,
        Meta(
            ge=2,
            le=MOST_RESTARTS,
            description="How many restarts of a daemon within a day are reported, while they go on.",
        ),
    ] = 10
    compacted_within: Annotated[
        Seconds,
        Group.TIMING,
        Meta(
            description="How long a database server may take to compact its log, from when that is due or it started. "
            "It waits up to 20 minutes by itself."
        ),
    ] = 1800.0
    start_allowance: Annotated[
        Seconds,
        Group.TIMING,
        Meta(
            description="Grace period for a start. Until it expires, missing stages are reported as `starting`; after "
            "that, as the fault itself."
        ),
    ] = 60.0
    rise: Annotated[
        int,
        Group.TIMING,
        Meta(ge=1, le=1000, description="How many intervals the node must be healthy before `/readyz` succeeds again."),
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
            description="Whether the agent watches this node's knobs. `observe` reports drift, `enforce` corrects it."
        ),
    ] = "off"
    tune_profile: Annotated[
        str, Group.TUNING, Form.NAME, Meta(description="Profile of wanted knob values, as in `ovsnet tune plan`.")
    ] = ""
    tune_file: Annotated[
        str, Group.TUNING, Form.FILE, Meta(description="TOML file of wanted knob values, as in `ovsnet tune plan`.")
    ] = ""
    tune_interval: Annotated[
        Seconds,
        Group.TUNING,
        Meta(
            description="How often to check the knobs for drift. Also the minimum time between writes, and how long "
            "the node must have been ready before the first check."
        ),
    ] = 60.0
    max_connections: Annotated[
        int,
        Group.SERVING,
        Meta(
            ge=1,
            le=MOST_CONNECTIONS,
            description="Maximum number of open HTTP connections. At the limit, a new connection replaces the one that "
            "has been idle longest.",
        ),
    ] = 1024
    tls_key: Annotated[
        str, Group.TLS, Form.FILE, Meta(description="PEM file of ovsnet's private key, for `ssl:` addresses.")
    ] = ""
    tls_certificate: Annotated[
        str, Group.TLS, Form.FILE, Meta(description="PEM file of ovsnet's certificate, for `ssl:` addresses.")
    ] = ""
    tls_ca: Annotated[
        str, Group.TLS, Form.FILE, Meta(description="PEM file of the CA that signed the peer's certificate.")
    ] = ""

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

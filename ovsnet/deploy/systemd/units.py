"""Every file that makes ovsnet a service, as text. Timeouts follow from the agent's own deadlines.

``systemd/`` in the source tree holds them rendered, for packagers and for reading.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import msgspec

from ovsnet.config import MOST_CONNECTIONS, Settings, declared
from ovsnet.deadlines import BACKLOG, DRAIN, SHUTDOWN, STALLED
from ovsnet.io.nofile import nofile_needed

MARK = "# Written by `ovsnet install`; `ovsnet install --remove` takes it out. Change it with a drop-in.\n"

CONFIG = "/etc/ovsnet/ovsnet.toml"

WAIT = 20
"""Seconds that ovn-controller may be held back. OVS is up in one; a boot must not hang on what never comes."""

SINGLE_FILE = ".pyz"
"""What the name of a program ends with that unpacks its libraries at its first start, and needs a place for them."""

EXAMINATION = 120
"""Seconds that the host's examination may take. It takes two, and nothing waits for it; a boot leaves it little CPU."""


class Family(msgspec.Struct, frozen=True):
    """How a family of distributions packages OVS: the owner of its sockets, and where a service's environment stands.

    The sockets have mode 0750 (lib/stream-unix.c asks fchmod for it), so only their owner may connect. Debian's daemons
    run as root; those of RHEL as ``OVS_USER_ID``, openvswitch (rhel/etc_sysconfig_openvswitch).
    """

    name: str
    user: str
    group: str
    environment: str


DEBIAN = Family("debian", "root", "root", "/etc/default/ovsnet")
RHEL = Family("rhel", "openvswitch", "openvswitch", "/etc/sysconfig/ovsnet")
FAMILIES = {family.name: family for family in (DEBIAN, RHEL)}


def files(family: Family, program: str) -> dict[str, str]:
    """Path and text of every file; ``program`` is the path of ovsnet on that host."""
    units = {
        "ovsnet.service": service(family, program),
        "ovsnet.socket": socket(family),
        "ovsnet-doctor.service": doctor(program),
    }
    if (
        family is RHEL
    ):  # Debian's ovs-vswitchd.service is up once its sockets are: measured, a wait gained nothing there
        units["ovn-controller.service.d/ovsnet.conf"] = wait_for_openflow(program)
    marked = {f"/etc/systemd/system/{name}": MARK + text for name, text in units.items()}
    return marked | {"/etc/tmpfiles.d/ovsnet.conf": MARK + tmpfiles()}


def service(family: Family, program: str) -> str:
    """The agent. Everything is denied that it does not need: it reads /proc and talks to sockets."""
    return f"{_START}\n[Service]\n{_life(family, program)}{_limits()}\n{_user(family)}\n{_CONFINED}\n{_INSTALL}"


_START = """\
[Unit]
Description=Health of Open vSwitch and OVN
Requires=ovsnet.socket
After=ovsnet.socket
# A broken configuration or program is fixed some time, and then the agent must come back by itself: systemd's own
# limit of five starts in ten seconds would end it for good, and its socket with it.
StartLimitIntervalSec=0
"""


def _life(family: Family, program: str) -> str:
    """How it starts, is watched and ends."""
    return f"""\
Type=notify
NotifyAccess=main
Environment=OVSNET_CONFIG={CONFIG}
EnvironmentFile=-{family.environment}
{_cache(program, "ovsnet")}ExecStart={program} serve
ExecReload=/bin/kill -HUP $MAINPID
# The socket stays open across restarts, so no client is refused. The pace is for a program that ends at each start.
Restart=always
RestartSec=1s
WatchdogSec={math.ceil(2 * STALLED)}s
TimeoutStopSec={math.ceil(2 * (DRAIN + SHUTDOWN))}s
"""


def _limits() -> str:
    return f"""\
# Enough for the largest max_connections.
LimitNOFILE={nofile_needed(MOST_CONNECTIONS)}
MemoryMax=256M
TasksMax=32
OOMScoreAdjust=-500
"""


def _user(family: Family) -> str:
    return f"""\
# OVS's sockets belong to this user, and only their owner may connect. It keeps no capability.
User={family.user}
Group={family.group}
AmbientCapabilities=
PrivateUsers=yes
"""


_HARDENED = """\
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
PrivateTmp=yes
PrivateMounts=yes
ProtectKernelTunables=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
KeyringMode=private
UMask=0077
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM
# Netlink: the kernel reports who is connected to a unix socket (sock_diag).
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
# Widen this in a drop-in if it is to listen on more than loopback, or to ask a southbound on another host.
IPAddressDeny=any
IPAddressAllow=localhost
"""
"""What none of ours may do, see or reach: systemd.exec(5) and systemd.resource-control(5)."""

_CONFINED = f"""\
{_HARDENED}\
ProtectHome=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectKernelModules=yes
RemoveIPC=yes
"""

_INSTALL = """\
[Install]
WantedBy=multi-user.target
"""


def _cache(program: str, name: str) -> str:
    """One for each service: only its user may write there, or the other would run what that one put in."""
    return f"CacheDirectory={name}\nCacheDirectoryMode=0700\n" if program.endswith(SINGLE_FILE) else ""


def socket(family: Family) -> str:
    """Held by systemd, so that a restart refuses nobody."""
    listen = "\n".join(f"ListenStream={address}" for address in Settings().listen)
    return f"""\
[Unit]
Description=Sockets of ovsnet

[Socket]
{listen}
ListenStream=/run/ovsnet.sock
SocketUser={family.user}
SocketGroup={family.group}
SocketMode=0660
RemoveOnStop=yes
Backlog={BACKLOG}

[Install]
WantedBy=sockets.target
"""


def doctor(program: str) -> str:
    """What the host lacks is in the journal after the boot. No start waits for it: in front of ovsdb-server it cost a
    third of a second, and a program that hangs would cost all of its timeout."""
    return f"""\
[Unit]
Description=Examination of this host for Open vSwitch
DefaultDependencies=no
After=systemd-journald.socket local-fs.target

[Service]
Type=oneshot
{_cache(program, "ovsnet-doctor")}ExecStart={program} doctor
# 1: something was found, 3: nothing could be seen. Both are for a person, and neither is a failure of this unit.
SuccessExitStatus=1 3
# Once a boot, not once for each restart of ovsdb-server.
RemainAfterExit=yes
TimeoutStartSec={EXAMINATION}s
# What starts beside it comes first.
Nice=19
IOSchedulingClass=idle
# It reads the host's modules, devices and homes, so these remain visible.
{_HARDENED}\
ProtectHome=read-only

[Install]
WantedBy=ovsdb-server.service
"""


def wait_for_openflow(program: str) -> str:
    """ovn-controller that meets br-int.mgmt at its first attempt saves its reconnect backoff, up to 8 s.

    On a node's very first start there is no bridge until ovn-controller makes it: then the wait ends at once.
    """
    return f"""\
[Unit]
After=ovs-vswitchd.service

[Service]
# The minus: whatever its result, ovn-controller starts. timeout(1): also when the program itself hangs.
ExecStartPre=-/usr/bin/timeout --kill-after=1 {WAIT + 2} {program} wait --for openflow --timeout {WAIT}
"""


def tmpfiles() -> str:
    """Tools built with the default prefix look there."""
    return "L /usr/local/var/run/openvswitch - - - - /run/openvswitch\n"


def configuration() -> str:
    """A file that says nothing, and names everything that can be said."""
    head = "# Settings of ovsnet. `systemctl reload ovsnet` takes a change, if it can be used.\n"
    return head + "".join(f"\n# {each.description}\n# {each.name} = {_toml(each.default)}\n" for each in declared())


def rendered(program: str = "/usr/bin/ovsnet") -> Mapping[str, str]:
    """What ``systemd/`` in the source tree holds, by its path there."""
    return {
        f"{family.name}/{path.removeprefix('/etc/').removeprefix('systemd/system/')}": text
        for family in FAMILIES.values()
        for path, text in files(family, program).items()
    }


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)

"""What a person decides about the agent on a cluster, and what follows for its container's environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

import msgspec

from ovsnet.config import Settings, declared
from ovsnet.deadlines import NOW
from ovsnet.errors import ConfigError
from ovsnet.io.http_address import HttpAddress

NAME = "ovsnet"

HOST_IP = "$(HOST_IP)"
"""In an address to listen on: this node's own, which Kubernetes puts in. Brackets around it serve IPv4 and IPv6."""

RUNDIR = "/run/openvswitch"

_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class StormJob(msgspec.Struct, frozen=True):
    """What ``pods`` do together: ``ovsnet bench storm`` with ``options``, all of them from ``start_at`` on.

    ``chassis`` and ``tls`` say what the options ask for: how many at most, and whether an address is ``ssl:``. Then the
    secret ``tls_secret`` is mounted where the settings look for its files.
    """

    options: Sequence[str] = ("--address", "tcp:ovn-sb.kube-system.svc:6642", "--chassis", "2000")
    chassis: int = 2000
    tls: bool = False
    pods: int = 4
    start_at: str = NOW
    tls_secret: str = "kube-ovn-tls"


class Deployment(msgspec.Struct, frozen=True):
    """``user`` is the number of the user who runs OVS: its sockets have mode 0750, so only their owner may connect.

    ``host_pid`` lets the agent see the daemons' processes. Without it a silence proves nothing: a hung switch is
    ``process-unseen``, which passes for ready. A ``local_image`` was loaded into the nodes (kind, k3s) and is not
    pulled; Kubernetes would always pull one that is tagged ``latest``. ``aliases`` are further paths at which the
    container finds OVN's run directory, as the node's own settings may name its sockets by them. ``runbook`` is where
    the runbook is for a person who gets an alert: a code is appended to it. ``secret`` has the files that settings
    name, and the ConfigMap ``knobs_map`` that of ``tune_file`` alone. With ``own_namespace`` the namespace is part of
    the manifests. ``selinux_type`` and ``apparmor_profile`` are those of the agent's container; empty, the container
    runtime chooses.
    """

    settings: Settings = msgspec.field(default_factory=Settings)
    image: str = f"{NAME}:latest"
    local_image: bool = False
    namespace: str = "kube-system"
    user: int = 0
    host_pid: bool = True
    storm: StormJob = StormJob()
    aliases: tuple[str, ...] = ()
    runbook: str = ""
    secret: str = ""
    knobs_map: str = ""
    own_namespace: bool = False
    selinux_type: str = ""
    apparmor_profile: str = ""

    @property
    def image_keys(self) -> Mapping[str, str]:
        """What a container says of its image."""
        return {"image": self.image, **({"imagePullPolicy": "Never"} if self.local_image else {})}

    @property
    def rundirs(self) -> tuple[str, str]:
        """OVS's and OVN's on the host. The agent finds them at the same paths."""
        ovs = self.settings.rundir or RUNDIR
        return ovs, self.settings.ovn_rundir or str(PurePosixPath(ovs).parent / "ovn")

    @property
    def environment(self) -> list[Mapping[str, object]]:
        """The settings that are not the defaults, as variables of a container."""
        values = ((setting, getattr(self.settings, setting.name)) for setting in declared())
        texts = {setting.variable: _text(value) for setting, value in values if value != setting.default}
        if self.rundirs != (RUNDIR, "/run/ovn"):
            texts |= dict(zip(("OVSNET_RUNDIR", "OVSNET_OVN_RUNDIR"), self.rundirs, strict=True))
        variables: list[Mapping[str, object]] = [{"name": name, "value": text} for name, text in texts.items()]
        if any(HOST_IP in text for text in texts.values()):
            # First: Kubernetes puts only those into a value that were defined before it.
            variables.insert(0, {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}})
        return variables

    @property
    def target(self) -> Mapping[str, object]:
        """Where the kubelet finds the agent: ``host``, ``port`` and ``scheme`` of a probe. Raises ConfigError.

        The kubelet shares the network of a pod with ``hostNetwork``, so loopback will do.
        """
        for text in self.settings.listen:
            if not text.startswith("unix:") and HOST_IP not in text:
                address = HttpAddress.parse(text)
                host = {"host": _EVERYWHERE.get(address.host, address.host), "port": address.port}
                return host | ({"scheme": "HTTPS"} if address.scheme == "ssl" else {})
        raise ConfigError(
            "The kubelet cannot ask the agent at any address of `listen`.",
            remedy="Let it listen at 127.0.0.1:10670, too.",
        )

    @property
    def port(self) -> int:
        """The port of ``target``."""
        return int(str(self.target["port"]))


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

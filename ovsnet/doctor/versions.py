"""Versions of Open vSwitch, OVN and Kube-OVN, and the defects that are known of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, unseen
from ovsnet.doctor.known_defects import defects
from ovsnet.doctor.running import has_the_hosts_files
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_daemons import daemon_pid
from ovsnet.node.host_files import Host
from ovsnet.node.installed import OVN, OVS, packages
from ovsnet.node.version import Version, parse_version, shown

CNI_DIRECTORY = "/etc/cni/net.d"

CONTAINERS = (
    ("/run/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json"),
    # k3s and RKE2 bring a containerd of their own, as do k0s and MicroK8s.
    ("/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json"),
    ("/run/k0s/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json"),
    ("/var/snap/microk8s/common/run/containerd/io.containerd.runtime.v2.task/k8s.io", "config.json"),
    ("/run/containers/storage/overlay-containers", "userdata/config.json"),
    ("/var/lib/docker/containers", "config.v2.json"),
)
"""Where containerd, CRI-O and Docker keep a container's specification, which names its image."""

_IMAGE = re.compile(r"/kube-ovn(?:-dpdk)?:v?(\d+\.\d+\.\d+)")


@examination("version.ovs")
def ovs(host: Host, live: Live) -> Iterator[Finding]:
    """This Open vSwitch has no known defect, and the one that runs is the one installed."""
    yield from _judge(OVS, "ovs-vswitchd", host, live)
    written = parse_version(live.database.ovs_version) if live.database else None
    running = parse_version(live.versions.get("ovs-vswitchd", ""))
    if written and running and written != running:
        yield note(
            f"ovs-vswitchd {shown(running)} runs, and ovs-ctl last started {shown(written)}.",
            "Restart ovs-vswitchd in a maintenance window if it was upgraded.",
        )


@examination("version.ovn")
def ovn(host: Host, live: Live) -> Iterator[Finding]:
    """This OVN has no known defect."""
    database = live.database
    if database and "ovn-remote" not in database.external_ids and not live.versions.get("ovn-controller"):
        yield ok("This node is not an OVN chassis.")
    else:
        yield from _judge(OVN, "ovn-controller", host, live)


@examination("version.kube-ovn")
def kube_ovn(host: Host, live: Live) -> Iterator[Finding]:
    """Kube-OVN is 1.12.17 or newer, from which its start is much better."""
    used = [f"{CNI_DIRECTORY}/{name}" for name in host.names(CNI_DIRECTORY) if "kube-ovn" in name]
    versions = _kube_ovn_versions(host)
    if not versions and not used:
        yield ok("Kube-OVN is not on this node.")
    elif not versions:
        yield unseen(
            "Kube-OVN is here, and its version cannot be seen.",
            "Check its image: kubectl -n kube-system get pods -o wide; 1.12.17 or newer is wanted.",
            *used,
        )
    else:
        found = list(defects("Kube-OVN", min(versions)))
        yield from found or [ok(f"No defect of Kube-OVN {shown(min(versions))} is known.")]


@examination("version.installed")
def installed(host: Host, live: Live) -> Iterator[Finding]:
    """The Open vSwitch and OVN that run are those of the installed packages."""
    held = packages(host)
    old = []
    for daemon, product in (("ovs-vswitchd", OVS), ("ovn-controller", OVN)):
        running, pid = live.version(daemon), daemon_pid(host, live, daemon)
        if running is None or pid is None or not has_the_hosts_files(host, pid):
            continue
        versions = {str(each): each.version for each in held if each.product == product and each.version}
        if versions and not any(_alike(running, each) for each in versions.values()):
            old.append(f"{daemon} {shown(running)} runs; installed is {', '.join(versions)}")
    if old:
        yield note(
            "A daemon is of another version than its package: it was upgraded, and not restarted.",
            "Restart it in a maintenance window; what runs keeps the defects of the old one.",
            *old,
        )
    else:
        yield ok("What runs is what is installed, as far as can be seen.", *map(str, held))


def _alike(running: Version, installed: Version) -> bool:
    """A package counts its own builds behind the version."""
    return installed[: len(running)] == running or running[: len(installed)] == installed


def _judge(product: str, daemon: str, host: Host, live: Live) -> Iterator[Finding]:
    """What runs is judged; where nothing does, what is installed."""
    version = live.version(daemon)
    idle = version is None and daemon_pid(host, live, daemon) is None
    held = [each for each in packages(host) if each.product == product and each.version] if idle else []
    if held:
        version = held[0].version
    if version is None:
        why = live.why_unanswered(daemon)
        yield unseen(f"The version of {product} cannot be seen: {why.cause}", why.remedy)
        return
    found = list(defects(product, version))
    yield from found or [ok(f"No defect of {product} {shown(version)} is known.", *map(str, held))]


def _kube_ovn_versions(host: Host) -> set[Version]:
    """Of all its containers; during an upgrade there may be two. Raises UnfitEnvironment when nothing may be read."""
    found: set[Version] = set()
    denied = None
    for directory, file in CONTAINERS:
        try:
            texts = [host.read(f"{directory}/{name}/{file}") or "" for name in host.names(directory)]
        except UnfitEnvironment as error:
            denied = error
            continue
        found |= {version for text in texts for each in _IMAGE.findall(text) if (version := parse_version(each))}
    if denied is not None and not found:
        raise denied
    return found

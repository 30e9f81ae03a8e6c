"""Sets of values that somebody runs with, each with its source. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KUBE_OVN = "Kube-OVN charts/kube-ovn/values.yaml"
KUBE_OVN_THREADS = "Kube-OVN dist/images/start-ovs.sh, on nodes with more than 12 cores"
OVN_KUBERNETES = "ovn-kubernetes go-controller/pkg/config/config.go, Default"
KOLLA = "kolla-ansible, tripleo-heat-templates, neutron: 60 s each"
SMALL = "rule of thumb below 50 nodes: 10 to 30 s; all partners together"
LARGE = "rule of thumb above 300 nodes, or a southbound above 100 MB: 100 to 180 s; all partners together"
OWN_SOCKET = "a unix socket closes when its other end is gone, and ovsnet's own echo finds a hung switch"


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of a profile; ``above_cores`` is the number of cores that a node must exceed for it."""

    knob: str
    value: str
    source: str
    above_cores: int = 0


def _everywhere(milliseconds: int, source: str) -> tuple[Entry, ...]:
    """Both ends of every connection between databases, northd and chassis."""
    names = ("ovn-remote-probe-interval", "sb-inactivity-probe", "nb-inactivity-probe", "northd_probe_interval")
    return tuple(Entry(name, str(milliseconds), source) for name in names)


def _openflow(seconds: int, source: str) -> tuple[Entry, ...]:
    """The OpenFlow probe under both its names, for plan leaves out what the version at hand does not read."""
    return (
        Entry("ovn-openflow-probe-interval", str(seconds), source),
        Entry("ovn-bridge-remote-probe-interval", str(seconds * 1000), f"{source}, in the unit and key of OVN 24.09"),
        Entry(
            "bundle-idle-timeout", str(seconds), "as long as the probe, so that a stall does not cost the open bundle"
        ),
    )


PROFILES: Mapping[str, tuple[Entry, ...]] = {
    "kube-ovn": (
        Entry("ovn-remote-probe-interval", "10000", KUBE_OVN),
        *_openflow(180, KUBE_OVN),
        Entry("n-revalidator-threads", "4", KUBE_OVN_THREADS, above_cores=12),
        Entry("n-handler-threads", "10", KUBE_OVN_THREADS, above_cores=12),
    ),
    "ovn-kubernetes": (
        Entry("ovn-remote-probe-interval", "100000", OVN_KUBERNETES),
        Entry("ovn-bridge-remote-probe-interval", "0", OVN_KUBERNETES),
        Entry("ovn-monitor-all", "true", OVN_KUBERNETES),
        Entry("ovn-enable-lflow-cache", "true", OVN_KUBERNETES),
    ),
    "openstack": (*_everywhere(60000, KOLLA), *_openflow(60, KOLLA)),
    "small": (
        *_everywhere(30000, SMALL),
        Entry("ovn-openflow-probe-interval", "0", OWN_SOCKET),
        Entry("ovn-bridge-remote-probe-interval", "0", OWN_SOCKET),
    ),
    "large": (
        *_everywhere(180000, LARGE),
        Entry("ovn-openflow-probe-interval", "0", OWN_SOCKET),
        Entry("ovn-bridge-remote-probe-interval", "0", OWN_SOCKET),
        Entry("ovn-monitor-all", "true", "measured: a restart with 3000 ports then has no dip in flows"),
        Entry("ovn-ofctrl-wait-before-clear", "8000", "measured: a restart with 3000 ports then has no dip in flows"),
    ),
}

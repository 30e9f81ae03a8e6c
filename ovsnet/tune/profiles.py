"""Sets of values that are in use in the field, each with the file that sets it. Pure data.

Read in kube-ovn 1533681d7, ovn-kubernetes 8871cd9ce and kolla-ansible 1a681814e. A key that is dead on newer versions
is here where they still set it; plan leaves it out and says so.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

START_OVS = "Kube-OVN dist/images/start-ovs.sh"
START_DB = "Kube-OVN dist/images/start-db.sh"
START_DB_ROWS = f"{START_DB}, PROBE_INTERVAL, with one server; those of a cluster read no Connection row"
THREADS = f"{START_OVS}, on nodes with more than 12 cores"
OVN_KUBERNETES = "ovn-kubernetes go-controller/pkg/config/config.go, Default"
SETUP = "ovn-kubernetes go-controller/pkg/node/default_node_network_controller.go, setupOVNNode()"
OVNKUBE = "ovn-kubernetes dist/images/ovnkube.sh"
KOLLA_CHASSIS = "kolla-ansible ansible/roles/ovn-controller/defaults/main.yml"
KOLLA_DATABASES = "kolla-ansible ansible/roles/ovn-db/defaults/main.yml, ovn_db_inactivity_probe"
SMALL = "30 s, as cluster-network-operator #1412: a dead peer is noticed after 1 min"
LARGE = "180 s, as OpenShift's chassis: bears any compaction, and a dead peer is noticed after 6 min"
OWN_SOCKET = "a unix socket closes when its other end is gone, and ovsnet's own echo finds a hung switch"
NO_DIP = "measured: a restart with 3000 ports then has no dip in flows"


class Entry(msgspec.Struct, frozen=True):
    """A value of a profile; ``above_cores`` is the number of cores that a node must exceed for it."""

    knob: str
    value: str
    source: str
    above_cores: int = 0


def _everywhere(milliseconds: int, source: str) -> tuple[Entry, ...]:
    """Both ends of every connection between databases, northd and chassis."""
    names = ("ovn-remote-probe-interval", "sb-inactivity-probe", "nb-inactivity-probe", "northd_probe_interval")
    return tuple(Entry(name, str(milliseconds), source) for name in names)


PROFILES: Mapping[str, tuple[Entry, ...]] = {
    "kube-ovn": (
        Entry("ovn-remote-probe-interval", "10000", f"{START_OVS}, OVN_REMOTE_PROBE_INTERVAL"),
        Entry("ovn-openflow-probe-interval", "180", f"{START_OVS}, OVN_REMOTE_OPENFLOW_INTERVAL"),
        Entry("ovn-match-northd-version", "true", START_OVS),
        Entry("sb-inactivity-probe", "180000", START_DB_ROWS),
        Entry("nb-inactivity-probe", "180000", START_DB_ROWS),
        Entry("northd_probe_interval", "5000", f"{START_DB}, OVN_NORTHD_PROBE_INTERVAL"),
        Entry("n-revalidator-threads", "4", THREADS, above_cores=12),
        Entry("n-handler-threads", "10", THREADS, above_cores=12),
    ),
    "ovn-kubernetes": (
        Entry("ovn-remote-probe-interval", "100000", OVN_KUBERNETES),
        Entry("ovn-bridge-remote-probe-interval", "0", OVN_KUBERNETES),
        Entry("bundle-idle-timeout", "0", f"{SETUP}: as long as the probe; 0 is the default of 10 s"),
        Entry("ovn-monitor-all", "true", OVN_KUBERNETES),
        Entry("ovn-ofctrl-wait-before-clear", "0", OVN_KUBERNETES),
        Entry("ovn-enable-lflow-cache", "true", OVN_KUBERNETES),
        Entry("ovn-set-local-ip", "true", SETUP),
        Entry("northd_probe_interval", "5000", f"{OVNKUBE}, set_northd_probe_interval()"),
        Entry("northd-backoff-interval-ms", "300", f"{OVNKUBE}, OVN_NORTHD_BACKOFF_INTERVAL"),
    ),
    "openstack": (
        Entry("ovn-remote-probe-interval", "60000", KOLLA_CHASSIS),
        Entry("ovn-openflow-probe-interval", "60", KOLLA_CHASSIS),
        Entry("sb-inactivity-probe", "60000", KOLLA_DATABASES),
        Entry("nb-inactivity-probe", "60000", KOLLA_DATABASES),
    ),
    "small": (
        *_everywhere(30000, SMALL),
        Entry("ovn-openflow-probe-interval", "0", OWN_SOCKET),
        Entry("ovn-bridge-remote-probe-interval", "0", OWN_SOCKET),
    ),
    "large": (
        *_everywhere(180000, LARGE),
        Entry("ovn-openflow-probe-interval", "0", OWN_SOCKET),
        Entry("ovn-bridge-remote-probe-interval", "0", OWN_SOCKET),
        Entry("ovn-monitor-all", "true", NO_DIP),
        Entry("ovn-ofctrl-wait-before-clear", "8000", NO_DIP),
    ),
}

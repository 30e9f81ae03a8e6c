"""Where distributions, snaps and operators put the run directories and the database: one row each, the likeliest first.

A row is a place to look, not a verdict on what is installed: several rows may name one directory, and what runs counts
more than the order (see ``ovsnet.node.installation``).
"""

from __future__ import annotations

import msgspec


class Layout(msgspec.Struct, frozen=True):
    """Paths as the host sees them. ``ovs`` and ``ovn`` are run directories, ``database`` is the file behind db.sock."""

    name: str
    ovs: str
    ovn: str
    database: str


LAYOUTS = (
    # Debian, Ubuntu and RPM packages; kolla-ansible and openstack-helm share these directories of the host.
    Layout("packages", "/run/openvswitch", "/run/ovn", "/etc/openvswitch/conf.db"),
    # A host without the link from /var/run to /run.
    Layout("packages", "/var/run/openvswitch", "/var/run/ovn", "/etc/openvswitch/conf.db"),
    # What Kube-OVN's chart mounts of the host, also on k3s and RKE2.
    Layout("Kube-OVN", "/run/openvswitch", "/run/ovn", "/etc/origin/openvswitch/conf.db"),
    # Its charts mount one directory of the host at both /var/run/openvswitch and /var/run/ovn.
    Layout("OVN-Kubernetes", "/run/openvswitch", "/run/openvswitch", "/etc/openvswitch/conf.db"),
    # Its ovnkube-node pods have the host's /var/run/ovn-ic at /run/ovn.
    Layout("OpenShift", "/run/openvswitch", "/run/ovn-ic", "/etc/openvswitch/conf.db"),
    # edpm-ansible mounts the latter at /run/ovn of its ovn_controller container (roles/edpm_ovn/defaults/main.yml).
    Layout("RHOSO", "/run/openvswitch", "/var/lib/openvswitch/ovn", "/etc/openvswitch/conf.db"),
    # A build without --localstatedir (ovs Documentation/intro/install/general.rst).
    Layout(
        "source build",
        "/usr/local/var/run/openvswitch",
        "/usr/local/var/run/ovn",
        "/usr/local/etc/openvswitch/conf.db",
    ),
    # As the snap's start commands set OVS_RUNDIR, OVN_RUNDIR and OVS_DBDIR.
    Layout(
        "MicroOVN",
        "/var/snap/microovn/common/run/switch",
        "/var/snap/microovn/common/run/ovn",
        "/var/snap/microovn/common/data/switch/db/conf.db",
    ),
    # As the snap's wrappers set OVS_RUNDIR, OVN_RUNDIR and OVS_SYSCONFDIR.
    Layout(
        "OpenStack hypervisor snap",
        "/var/snap/openstack-hypervisor/common/run/openvswitch",
        "/var/snap/openstack-hypervisor/common/run/ovn",
        "/var/snap/openstack-hypervisor/common/etc/openvswitch/conf.db",
    ),
)

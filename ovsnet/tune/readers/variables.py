"""Names by which charts, roles and scripts pass a knob on, each with its source. Pure data."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ovsnet.tune.catalogue import KNOBS

KUBE_OVN = "Kube-OVN"
EITHER = "Kube-OVN or OVN-Kubernetes"
OVN_KUBERNETES = "OVN-Kubernetes"
KOLLA = "kolla-ansible"
NEUTRON = "neutron"
CHARMS = "OpenStack charms"

HIGH_AVAILABILITY = (
    "On Kube-OVN with several ovn-central it has no effect: start-db.sh starts the servers with "
    "--db-nb-use-remote-in-db=no, so they read no Connection row, and probe as their build says."
)


class Variable(msgspec.Struct, frozen=True):
    """What a name sets: ``knobs``, each ``times`` the value; ``note`` for what is no knob of OVN. ``doubt`` says where
    it has no effect. A name that others use, too, is this one ``beside`` another."""

    of: str
    source: str
    knobs: tuple[str, ...] = ()
    times: int = 1
    note: str = ""
    doubt: str = ""
    beside: str = ""


START_OVS, START_DB = "dist/images/start-ovs.sh", "dist/images/start-db.sh"
CHART_V2 = "charts/kube-ovn-v2/values.yaml"
OVNKUBE, OVNKUBE_VALUES = "dist/images/ovnkube.sh", "helm/ovn-kubernetes/values-single-node-zone.yaml"
TRIPLEO, EDPM = "TripleO", "EDPM"
HEAT = "tripleo-heat-templates: deployment/ovn/ovn-controller-container-puppet.yaml"
EDPM_ROLE = "edpm-ansible: roles/edpm_ovn"
CENTRAL = "charm-ovn-central: src/config.yaml"
ROLE = "ansible/roles/ovn-db/defaults/main.yml"
BOTH = ("nb-inactivity-probe", "sb-inactivity-probe")

VARIABLES: Mapping[str, Variable] = {
    "OVN_REMOTE_PROBE_INTERVAL": Variable(EITHER, START_OVS, ("ovn-remote-probe-interval",)),
    "OVN_REMOTE_OPENFLOW_INTERVAL": Variable(KUBE_OVN, START_OVS, ("ovn-openflow-probe-interval",)),
    "PROBE_INTERVAL": Variable(
        KUBE_OVN,
        START_DB,
        (*BOTH, "nb-options-inactivity-probe", "sb-options-inactivity-probe"),
        doubt=HIGH_AVAILABILITY,
    ),
    "OVN_NORTHD_PROBE_INTERVAL": Variable(EITHER, START_DB, ("northd_probe_interval",)),
    "OVN_LEADER_PROBE_INTERVAL": Variable(
        KUBE_OVN, START_DB, note="it is the pause of Kube-OVN's leader checker in seconds; no daemon of OVN reads it"
    ),
    "OVN_NORTHD_N_THREADS": Variable(KUBE_OVN, START_DB, note="it is --n-threads of northd, which no database holds"),
    "FLOW_LIMIT": Variable(KUBE_OVN, START_OVS, note="start-ovs.sh takes it and does nothing with it"),
    "ENABLE_COMPACT": Variable(KUBE_OVN, START_DB, note="it has Kube-OVN compact the databases; no daemon reads it"),
    "OVSDB_INACTIVITY_TIMEOUT": Variable(
        KUBE_OVN, "charts/kube-ovn/values.yaml", note="it is for kube-ovn-controller's own client, in seconds"
    ),
    "ovnRemoteProbeInterval": Variable(KUBE_OVN, CHART_V2, ("ovn-remote-probe-interval",)),
    "ovnRemoteOpenflowInterval": Variable(KUBE_OVN, CHART_V2, ("ovn-openflow-probe-interval",)),
    "ovnNorthdProbeInterval": Variable(KUBE_OVN, CHART_V2, ("northd_probe_interval",)),
    "probeInterval": Variable(
        KUBE_OVN,
        CHART_V2,
        (*BOTH, "nb-options-inactivity-probe", "sb-options-inactivity-probe"),
        doubt=HIGH_AVAILABILITY,
        beside="ovnRemoteProbeInterval",
    ),
    "ovnLeaderProbeInterval": Variable(
        KUBE_OVN, CHART_V2, note="it is the pause of Kube-OVN's leader checker in seconds; no daemon of OVN reads it"
    ),
    "ovnNorthdNThreads": Variable(KUBE_OVN, CHART_V2, note="it is --n-threads of northd, which no database holds"),
    "remoteProbeInterval": Variable(OVN_KUBERNETES, OVNKUBE_VALUES, ("ovn-remote-probe-interval",)),
    "OVN_MONITOR_ALL": Variable(OVN_KUBERNETES, OVNKUBE, ("ovn-monitor-all",)),
    "monitorAll": Variable(OVN_KUBERNETES, OVNKUBE_VALUES, ("ovn-monitor-all",)),
    "OVN_OFCTRL_WAIT_BEFORE_CLEAR": Variable(OVN_KUBERNETES, OVNKUBE, ("ovn-ofctrl-wait-before-clear",)),
    "ofctrlWaitBeforeClear": Variable(OVN_KUBERNETES, OVNKUBE_VALUES, ("ovn-ofctrl-wait-before-clear",)),
    "OVN_ENABLE_LFLOW_CACHE": Variable(OVN_KUBERNETES, OVNKUBE, ("ovn-enable-lflow-cache",)),
    "enableLFlowCache": Variable(OVN_KUBERNETES, OVNKUBE_VALUES, ("ovn-enable-lflow-cache",)),
    "OVN_LFLOW_CACHE_LIMIT": Variable(OVN_KUBERNETES, OVNKUBE, ("ovn-limit-lflow-cache",)),
    "lFlowCacheLimit": Variable(OVN_KUBERNETES, OVNKUBE_VALUES, ("ovn-limit-lflow-cache",)),
    "OVN_LFLOW_CACHE_LIMIT_KB": Variable(OVN_KUBERNETES, OVNKUBE, ("ovn-memlimit-lflow-cache-kb",)),
    "lFlowCacheLimitKb": Variable(OVN_KUBERNETES, OVNKUBE_VALUES, ("ovn-memlimit-lflow-cache-kb",)),
    "inactivity-probe": Variable(OVN_KUBERNETES, "go-controller/pkg/config/config.go", ("ovn-remote-probe-interval",)),
    "openflow-probe": Variable(
        OVN_KUBERNETES,
        "go-controller/pkg/config/config.go: written as it is to both, which count in ms and in s",
        ("ovn-bridge-remote-probe-interval", "bundle-idle-timeout"),
    ),
    "ovn_remote_probe_interval": Variable(KOLLA, ROLE, ("ovn-remote-probe-interval",)),
    "ovn_openflow_probe_interval": Variable(KOLLA, ROLE, ("ovn-openflow-probe-interval",)),
    "OVNRemoteProbeInterval": Variable(TRIPLEO, HEAT, ("ovn-remote-probe-interval",)),
    "OVNOpenflowProbeInterval": Variable(TRIPLEO, HEAT, ("ovn-openflow-probe-interval",)),
    "edpm_ovn_remote_probe_interval": Variable(EDPM, EDPM_ROLE, ("ovn-remote-probe-interval",)),
    "edpm_ovn_ofctrl_wait_before_clear": Variable(EDPM, EDPM_ROLE, ("ovn-ofctrl-wait-before-clear",)),
    "ovn_monitor_all": Variable(EDPM, EDPM_ROLE, ("ovn-monitor-all",)),
    "ovn_match_northd_version": Variable(EDPM, EDPM_ROLE, ("ovn-match-northd-version",)),
    "ovn_db_inactivity_probe": Variable(KOLLA, ROLE, BOTH),
    "ovn_nb_db_inactivity_probe": Variable(KOLLA, ROLE, ("nb-inactivity-probe",)),
    "ovn_sb_db_inactivity_probe": Variable(KOLLA, ROLE, ("sb-inactivity-probe",)),
    "ovn_sb_db_relay_active_inactivity_probe": Variable(
        KOLLA, ROLE, note="it is the relay's probe of its source, in ms: twice the server's"
    ),
    "ovn_sb_db_relay_passive_inactivity_probe": Variable(KOLLA, ROLE, ("sb-inactivity-probe",)),
    "ovsdb-server-inactivity-probe": Variable(CHARMS, f"{CENTRAL}, in seconds", BOTH, times=1000),
    "ovsdb-server-election-timer": Variable(
        CHARMS, CENTRAL, note="it is the election timer in seconds, which each server of a cluster keeps in its file"
    ),
    "of-inactivity-probe": Variable(
        CHARMS, "charm-neutron-openvswitch: config.yaml, in seconds", ("controller-inactivity-probe",), times=1000
    ),
    "of_inactivity_probe": Variable(
        NEUTRON, "neutron/conf/agent/ovs_conf.py, in seconds", ("controller-inactivity-probe",), times=1000
    ),
    "ovsdb_probe_interval": Variable(
        NEUTRON, "neutron/conf/plugins/ml2/drivers/ovn/ovn_conf.py", note="it is for neutron's own client, in ms"
    ),
    "of_request_timeout": Variable(
        NEUTRON, "neutron/conf/agent/ovs_conf.py", note="it is for neutron's own client, in seconds"
    ),
} | {
    knob.place.key: Variable("OVS and OVN", knob.source, (knob.name,))
    for knob in KNOBS.values()
    if knob.place is not None and knob.place.key not in ("", "inactivity_probe")
}
"""A knob's own key counts too: Ansible and cloud-init write it as a name beside a value."""

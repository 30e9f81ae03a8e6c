"""``other_config`` of Open_vSwitch and Bridge that ovs-vswitchd reads beside the knobs (OVS vswitchd/vswitch.xml).
Versions are by ``git grep`` of the key in the sources of the tags 2.11 to 3.7."""

from __future__ import annotations

from ovsnet.node.version import Version
from ovsnet.tune.keys.forms import flag, macs, mask, one_of, sizes, whole
from ovsnet.tune.keys.key import Form, Key, anything
from ovsnet.tune.knob import Place

READER = "ovs-vswitchd"
DEFAULT = "ovs-vswitchd takes its default."
OFF = "ovs-vswitchd takes it for false."
RESTART = "It counts when ovs-vswitchd starts."
MOST = 2**31 - 1


def _other_config(
    key: str,
    form: Form = anything,
    misread: str = DEFAULT,
    source: str = "vswitchd/vswitch.xml",
    since: Version | None = None,
    *,
    table: str = "Open_vSwitch",
    note: str = "",
) -> Key:
    place = Place("Open_vSwitch", table, "other_config", key)
    return Key(place, READER, form, misread, since, note=note, source=source)


def _bridge(key: str, form: Form = anything, misread: str = DEFAULT) -> Key:
    return _other_config(key, form, misread, "vswitchd/bridge.c", table="Bridge")


KEYS = (
    _other_config("hw-offload", flag, OFF, "lib/dpif-offload.c; lib/netdev-offload.c until 3.6", note=RESTART),
    _other_config("hw-offload-priority", source="lib/dpif-offload.c", since=(3, 7), note=RESTART),
    _other_config(
        "tc-policy",
        one_of("none", "skip_sw", "skip_hw"),
        "ovs-vswitchd logs it and takes none.",
        "lib/tc.c, tc_set_policy()",
        note=RESTART,
    ),
    _other_config("userspace-tso-enable", flag, OFF, "lib/userspace-tso.c", (2, 13), note=RESTART),
    _other_config("n-offload-threads", whole(1, 10), "ovs-vswitchd takes 1.", since=(2, 17), note=RESTART),
    _other_config("offloaded-stats-delay", whole(0, MOST), since=(3, 2)),
    _other_config("offload-rebalance", flag, OFF),
    _other_config("explicit-sampled-drops", flag, OFF, since=(3, 4)),
    _other_config("enable-statistics", flag, OFF),
    _other_config(
        "dpdk-init",
        lambda text: one_of("true", "false", "try")(text.lower()),
        "ovs-vswitchd takes it for false.",
        "lib/dpdk.c",
        note=RESTART,
    ),
    _other_config("dpdk-lcore-mask", mask, "DPDK does not start.", "lib/dpdk.c", note=RESTART),
    _other_config(
        "pmd-cpu-mask",
        mask,
        "ovs-vswitchd logs `Invalid cpu mask` and uses what it could read of it.",
        "lib/ovs-numa.c, ovs_numa_dump_cores_with_cmask()",
    ),
    _other_config("dpdk-socket-mem", sizes, "DPDK does not start.", "lib/dpdk.c", note=RESTART),
    _other_config("dpdk-socket-limit", source="lib/dpdk.c", note=RESTART),
    _other_config("dpdk-alloc-mem", whole(0, MOST), "DPDK does not start.", "lib/dpdk.c", note=RESTART),
    _other_config("dpdk-hugepage-dir", source="lib/dpdk.c", note=RESTART),
    _other_config("dpdk-extra", source="lib/dpdk.c", note=RESTART),
    _other_config("dpdk-probe-at-init", flag, OFF, "lib/dpdk.c", note=RESTART),
    _other_config("vhost-sock-dir", source="lib/dpdk.c", note=RESTART),
    _other_config("vhost-iommu-support", flag, OFF, "lib/dpdk.c", note=RESTART),
    _other_config("vhost-postcopy-support", flag, OFF, "lib/dpdk.c", note=RESTART),
    _other_config("per-port-memory", flag, OFF, "lib/dpdk.c", note=RESTART),
    _other_config("shared-mempool-config", since=(3, 0), note=RESTART),
    _other_config("tx-flush-interval", whole(0, 1_000_000)),
    _other_config("pmd-perf-metrics", flag, OFF),
    _other_config("smc-enable", flag, OFF),
    _other_config("pmd-rxq-assign", one_of("cycles", "roundrobin", "group"), "ovs-vswitchd logs it and takes cycles."),
    _other_config("pmd-rxq-isolate", flag, "ovs-vswitchd takes it for true.", since=(2, 16)),
    _other_config("emc-insert-inv-prob", whole(0, 2**32 - 1)),
    _other_config("vlan-limit", whole(0, MOST), "ovs-vswitchd takes 1."),
    _other_config("pmd-auto-lb", flag, OFF),
    _other_config("pmd-auto-lb-rebal-interval", whole(0, 20000)),
    _other_config("pmd-auto-lb-load-threshold", whole(0, 100), since=(2, 15)),
    _other_config("pmd-auto-lb-improvement-threshold", whole(0, 100), since=(2, 15)),
    _other_config("pmd-sleep-max", since=(3, 2)),
    _other_config("pmd-maxsleep", since=(3, 1), note="Open vSwitch 3.2 calls it pmd-sleep-max."),
    _other_config("private_key", source="ipsec/ovs-monitor-ipsec.in"),
    _other_config("certificate", source="ipsec/ovs-monitor-ipsec.in"),
    _other_config("ca_cert", source="ipsec/ovs-monitor-ipsec.in"),
    _other_config("ipsec_skb_mark", source="ipsec/ovs-monitor-ipsec.in"),
    _bridge("datapath-id"),
    _bridge("dp-desc"),
    _bridge("dp-sn"),
    _bridge("disable-in-band", flag, OFF),
    _bridge("in-band-queue", whole(0, MOST)),
    _bridge("controller-queue-size", whole(1, 512)),
    _bridge("stp-system-id"),
    _bridge("stp-priority", whole(0, 65535)),
    _bridge("stp-hello-time", whole(1, 10)),
    _bridge("stp-max-age", whole(6, 40)),
    _bridge("stp-forward-delay", whole(4, 30)),
    _bridge("rstp-address"),
    _bridge("rstp-priority", whole(0, 61440)),
    _bridge("rstp-ageing-time", whole(10, 1_000_000)),
    _bridge("rstp-force-protocol-version", whole(0, MOST)),
    _bridge("rstp-max-age", whole(6, 40)),
    _bridge("rstp-forward-delay", whole(4, 30)),
    _bridge("rstp-transmit-hold-count", whole(1, 10)),
    _bridge("mcast-snooping-aging-time", whole(1, MOST)),
    _bridge("mcast-snooping-table-size", whole(1, MOST)),
    _bridge("mcast-snooping-disable-flood-unregistered", flag, OFF),
    _bridge("hwaddr", lambda text: macs(f"hwaddr:{text}") and "is not a MAC address", "The bridge chooses its own."),
    _bridge("forward-bpdu", flag, OFF),
    _bridge("mac-aging-time", whole(1, MOST)),
    _bridge("mac-table-size", whole(1, MOST)),
)

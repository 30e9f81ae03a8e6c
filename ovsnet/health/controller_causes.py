"""What ovn-controller itself lacks, or was told."""

from __future__ import annotations

from ovsnet.health.cause import Cause, State

CONTROLLER = (
    Cause(
        code="chassis-unconfigured",
        state=State.DEGRADED,
        summary="ovn-controller lacks what it needs to register this node as a chassis, and installs no flows.",
        remedies=(
            "Set what the evidence names, for example `ovs-vsctl set open_vswitch . external_ids:{first}=VALUE` "
            "(ovn-encap-type is usually geneve, ovn-encap-ip an address of this host).",
            "Set external_ids:system-id, ovn-encap-type (usually geneve) and ovn-encap-ip.",
        ),
        reasons=frozenset({"chassis-unconfigured"}),
        in_start=True,
    ),
    Cause(
        code="wrong-bridge",
        state=State.DEGRADED,
        summary="ovn-controller uses another bridge than the one that is watched.",
        remedies=("Watch it: `--bridge {bridge}`.", "Name ovn-controller's bridge with --bridge."),
        reasons=frozenset({"wrong-bridge"}),
    ),
    Cause(
        code="controller-paused",
        state=State.NOT_READY,
        summary="ovn-controller is paused: it installs no changes.",
        remedies=("Resume it with `ovn-appctl -t ovn-controller debug/resume`.",),
        daemon="ovn-controller",
        reasons=frozenset({"controller-paused"}),
    ),
    Cause(
        code="bridge-protocols-wrong",
        state=State.DEGRADED,
        summary="The bridge of ovn-controller does not allow the version of OpenFlow that it speaks.",
        flows_stay=True,
        remedies=(
            "Allow it: `ovs-vsctl add bridge {bridge} protocols {spoken}`. Find out what sets its protocols.",
            "Add OpenFlow15 to the protocols of the bridge.",
        ),
        reasons=frozenset({"openflow-version"}),
    ),
)

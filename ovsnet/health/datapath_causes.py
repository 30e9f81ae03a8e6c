"""Packets that a datapath drops while every daemon answers."""

from __future__ import annotations

from ovsnet.health.cause import Cause, State

DATAPATH = (
    Cause(
        code="conntrack-full",
        state=State.DEGRADED,
        summary="A table of tracked connections is full: new connections are dropped.",
        remedies=(
            "Raise the limit (`{setting}`, and keep it), and find what opens so many "
            "(`ovs-appctl dpctl/ct-stats-show`, `conntrack -S`).",
            "Raise the limit (`sysctl net.netfilter.nf_conntrack_max`, `ovs-appctl dpctl/ct-set-maxconns`), and find "
            "what opens so many.",
        ),
        reasons=frozenset({"conntrack-full"}),
    ),
    Cause(
        code="flow-limit-reached",
        state=State.DEGRADED,
        summary="The datapath takes no more flows: packets go through ovs-vswitchd one by one, which is slow.",
        remedies=(
            "ovs-vswitchd lowered the limit to {limit}, of {configured}, because its revalidators take too long: give "
            "it CPU and revalidator threads (`ovsnet tune advise`), and find what makes so many flows.",
            "Find what makes so many flows (`ovs-appctl dpctl/dump-flows`); if they are right, raise the limit: "
            "`ovs-vsctl set open_vswitch . other_config:flow-limit={more}`.",
            "Find what makes so many flows (`ovs-appctl upcall/show`), and raise other_config:flow-limit if they are "
            "right.",
        ),
        reasons=frozenset({"flow-limit-reached"}),
    ),
)
"""What makes a switch slow, and so explains it."""

LOSSES = (
    Cause(
        code="upcalls-lost",
        state=State.DEGRADED,
        summary="Packets are lost on their way from the datapath to ovs-vswitchd: new flows lose their first packets.",
        remedies=(
            "Give ovs-vswitchd CPU (see `cpu.throttled` in `ovsnet doctor`) and handler threads, and find what starts "
            "so many flows at once: a scan, a loop, or traffic that matches no wide flow (`ovs-appctl upcall/show`).",
        ),
        reasons=frozenset({"upcalls-lost"}),
    ),
)
"""What a slow switch explains."""

"""Lines of the kernel, of systemd and of the kubelet that count: they show what ended or blocked a daemon. Pure.

Such a line has no bars. ``marks_in`` is the prefilter; ``subject`` is the process, the unit, the container or the
device that a line is about.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ovsnet.explain.kind import Kind

DAEMON = "ovs-vswitchd|ovsdb-server|ovn-controller|ovn-northd"
PROCESS = rf"(?P<subject>{DAEMON}|handler\d+|revalidator\d+|pmd-c[^\]:]+|ovn_\w+)"
"""A process by its name, or a thread by its own (lib/ovs-thread.c, ``ovs_thread_create``)."""
UNIT = rf"(?P<subject>(?:{DAEMON}|openvswitch(?:-switch)?|ovn-(?:host|central))\.service): "
DEVICE = r"(?P<subject>[\w.-]+)"

HOST_KINDS = (
    Kind(
        "killed",
        "Killed process",
        (),
        rf".*Killed process (?P<pid>\d+) \({PROCESS}\)",
        "the kernel, mm/oom_kill.c, __oom_kill_process()",
        many=100,
    ),
    Kind(
        "crashed",
        "segfault at",
        (),
        rf".*?\b{PROCESS}\[(?P<pid>\d+)\]: (?P<how>segfault at \S+)",
        "the kernel, arch/x86/mm/fault.c, show_signal_msg()",
        many=100,
    ),
    Kind(
        "crashed",
        "traps: ",
        (),
        rf".*traps: {PROCESS}\[(?P<pid>\d+)\] (?P<how>[\w ]+?)(?: ip| in|$)",
        "the kernel, arch/x86/kernel/traps.c, show_signal()",
        many=100,
    ),
    Kind(
        "blocked",
        "blocked for more than",
        (),
        rf".*task {PROCESS}:(?P<pid>\d+) blocked (?:on \S+ )?"
        r"for more than (?P<seconds>\d+) seconds",
        "the kernel, kernel/hung_task.c, check_hung_task()",
        many=100,
    ),
    Kind(
        "blocked",
        "soft lockup",
        (),
        rf".*soft lockup - CPU#\d+ stuck for (?P<seconds>\d+)s! \[{PROCESS}:(?P<pid>\d+)\]",
        "the kernel, kernel/watchdog.c, watchdog_timer_fn()",
        many=100,
    ),
    Kind(
        "device",
        "I/O error, dev",
        (),
        rf".*(?P<error>I/O error), dev {DEVICE}, sector",
        "the kernel, block/blk-mq.c, blk_print_req_error()",
        many=100,
    ),
    Kind(
        "device",
        "EXT4-fs",
        (),
        r".*EXT4-fs (?=error|.*(?:Remounting filesystem read-only|[Aa]borting))"
        rf"(?:error )?\((?:device )?{DEVICE}\): (?P<error>.+)",
        "the kernel, fs/ext4/super.c, __ext4_error()",
        many=100,
    ),
    Kind(
        "device",
        "XFS (",
        (),
        rf".*XFS \({DEVICE}\): (?P<error>.*(?:I/O error|[Ss]hut(?:ting)? down|Corruption).*)",
        "the kernel, fs/xfs/xfs_fsops.c, xfs_do_force_shutdown()",
        many=100,
    ),
    Kind(
        "unit-ended",
        "Main process exited",
        (),
        rf".*{UNIT}Main process exited, code=(?P<how>\w+, status=\S+)",
        "systemd, src/core/service.c, service_sigchld_event()",
        many=200,
    ),
    Kind(
        "unit-killed",
        "OOM killer",
        (),
        rf".*{UNIT}A process of this unit has been killed by the OOM killer",
        "systemd, src/core/unit.c, unit_log_oom()",
        many=100,
    ),
    Kind(
        "unit-stopped",
        "Deactivated successfully",
        (),
        rf".*{UNIT}Deactivated successfully",
        "systemd, src/core/unit.c, unit_log_success()",
        many=200,
    ),
    Kind(
        "unit-late",
        "operation timed out",
        (),
        rf".*{UNIT}[Ss]tart(?:-pre|-post)? operation timed out\. (?:Terminating|Aborting|Killing)",
        "systemd, src/core/service.c, service_dispatch_timer()",
        many=100,
    ),
    Kind(
        "unit-silent",
        "Watchdog timeout (limit",
        (),
        rf".*{UNIT}Watchdog timeout \(limit (?P<limit>[^)]*)\)",
        "systemd, src/core/service.c, service_dispatch_watchdog()",
        many=100,
    ),
    Kind(
        "unit-restarts",
        "restart counter is at",
        (),
        rf".*{UNIT}Scheduled restart job.*, restart counter is at (?P<count>\d+)",
        "systemd, src/core/service.c, service_enter_restart()",
        many=100,
    ),
    Kind(
        "conntrack-full",
        "nf_conntrack: table full",
        (),
        r".*(?P<subject>nf_conntrack): table full",
        "the kernel, net/netfilter/nf_conntrack_core.c, __nf_conntrack_alloc()",
        many=200,
    ),
    Kind(
        "probe",
        "Probe failed",
        (),
        r'.*"Probe failed" probeType="(?P<probe>Liveness|Startup)".* '
        r'containerName="(?P<subject>[^"]+)"',
        "kubelet, pkg/kubelet/prober/prober.go, probe()",
        many=200,
    ),
    Kind(
        "container-killed",
        "Killing container with a grace",
        (),
        r'.*"Killing container with a grace period" .*containerName="(?P<subject>[^"]+)"',
        "kubelet, pkg/kubelet/kuberuntime/kuberuntime_container.go, killContainer()",
        many=200,
    ),
)

MARKS = tuple(sorted({kind.mark.encode() for kind in HOST_KINDS}))


def marks_in(block: bytes) -> list[bytes]:
    """The marks that lines of ``block`` may have: most blocks have none, and are not searched line by line."""
    return [mark for mark in MARKS if mark in block]


ENDS = frozenset(
    (
        *("killed", "crashed", "unit-ended", "unit-killed", "unit-stopped", "unit-late", "unit-silent"),
        *("container-killed", "container-ended"),
    )
)
"""Those after which the daemon they are about is gone."""

NO_SIGN = frozenset(("conntrack-full",))
"""Those that are about what a daemon uses: they do not show that its process ran."""
FROM_OUTSIDE = ENDS | NO_SIGN | {"blocked", "probe"}
"""Those that are about a daemon, and not its own."""

_DAEMONS = (
    (re.compile(r"openvswitch(?:-switch)?\.service"), ("ovs-vswitchd", "ovsdb-server")),
    (re.compile(r"ovs-vswitchd(?:\.service)?|handler\d+|revalidator\d+|pmd-c.*"), ("ovs-vswitchd",)),
    (re.compile(r"nf_conntrack"), ("ovs-vswitchd",)),
    (re.compile(r"ovsdb-server(?:\.service)?"), ("ovsdb-server",)),
    (re.compile(r"ovn-(?:controller|host)(?:\.service)?|ovn_\w+"), ("ovn-controller",)),
    (re.compile(r"ovn-(?:northd|central)(?:\.service)?|northd"), ("ovn-northd",)),
    (re.compile(r"nbdb|nb-ovsdb"), ("northbound",)),
    (re.compile(r"sbdb|sb-ovsdb"), ("southbound",)),
    # Kube-OVN's ovs-ovn pod has all three in one container; OVN-Kubernetes' ovs-node pod has two of them.
    (re.compile(r"openvswitch"), ("ovs-vswitchd", "ovsdb-server", "ovn-controller")),
    (re.compile(r"openvswitch-switch|ovs-daemons|ovs-server"), ("ovs-vswitchd", "ovsdb-server")),
)


def daemons_of(subject: str) -> tuple[str, ...]:
    """The daemons that a process, a thread, a unit or a container of this name is, or holds."""
    return next((daemons for pattern, daemons in _DAEMONS if pattern.fullmatch(subject)), ())


def how_it_ended(kind: str, said: Mapping[str, str]) -> str:
    """In words, for those of ``ENDS`` that were not ordered; "" for the others."""
    match kind:
        case "killed" | "unit-killed":
            return "killed by the kernel for lack of memory"
        case "crashed" | "aborted":
            return said.get("how", "")
        case "unit-late":
            return "ended by systemd, for it had not started in time"
        case "unit-silent":
            return f"ended by systemd, whose watchdog had no sign of it for {said.get('limit', '')}"
        case "container-ended" if said.get("reason") == "OOMKilled":
            return "killed by the kernel for lack of memory"
        case "unit-ended" | "container-ended" if "status=0/" not in said.get("how", "") and said.get("exit") != "0":
            return f"{'systemd' if kind == 'unit-ended' else 'the kubelet'} says {said.get('how', '')}"
    return ""

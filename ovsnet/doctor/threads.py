"""Threads of ovs-vswitchd against the CPUs it may use.

With per-CPU dispatch (Open vSwitch 2.16 and kernel 5.15, both or newer) the kernel datapath wants one handler per CPU
and ``n-handler-threads`` is overridden (lib/dpif-netlink.c ``dpif_netlink_number_handlers_required``,
ofproto/ofproto-dpif-upcall.c ``udpif_set_threads``). ``n-revalidator-threads`` counts in either case. Unset, a quarter
of the CPUs plus one revalidate and the others handle.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, unseen, warning
from ovsnet.doctor.processes import daemon_pid
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host, count_cpus
from ovsnet.node.version import parse_version

PER_CPU_OVS = (2, 16)
PER_CPU_KERNEL = (5, 15)

MANY_CPUS = 12
"""Above it the article, and Kube-OVN's start-ovs.sh, bound the threads to save memory."""
BOUND_HANDLERS, BOUND_REVALIDATORS = 10, 4

HEAVY = 64
"""Handlers whose stacks and sockets weigh: 96 of them ended in an out-of-memory kill (ovn-kubernetes #3842)."""


@dataclass(frozen=True, slots=True)
class Threads:
    """How many threads of each kind run."""

    handlers: int
    revalidators: int


def usable_cpus(host: Host, live: Live) -> int:
    """CPUs that vswitchd may run on by its affinity and cpuset, else those online. Raises UnfitEnvironment."""
    pid = daemon_pid(host, live, "ovs-vswitchd")
    for line in (host.read(f"/proc/{pid}/status") or "").splitlines() if pid else ():
        if line.startswith("Cpus_allowed_list:"):
            return count_cpus(line.partition(":")[2])
    return host.cpus


def running_threads(host: Host, live: Live) -> Threads | None:
    """Counted by their names, or None when no vswitchd is seen. Raises UnfitEnvironment."""
    pid = daemon_pid(host, live, "ovs-vswitchd")
    if pid is None:
        return None
    names = [host.read(f"/proc/{pid}/task/{each}/comm") or "" for each in host.names(f"/proc/{pid}/task")]
    return Threads(
        sum(name.startswith("handler") for name in names), sum(name.startswith("revalidator") for name in names)
    )


def per_cpu_dispatch(host: Host, live: Live) -> bool | None:
    """Whether the kernel hands packets to one handler per CPU; None when nobody can tell. Raises UnfitEnvironment."""
    ovs, kernel = live.version("ovs-vswitchd"), parse_version(host.release)
    if live.kernel_datapath is False or (kernel and kernel < PER_CPU_KERNEL) or (ovs and ovs < PER_CPU_OVS):
        return False
    return True if live.kernel_datapath and ovs and kernel else None


def default_revalidators(cpus: int) -> int:
    """What vswitchd starts when nothing is set."""
    return max(cpus // 4 + 1, 1)


@examination("threads.handlers")
def handlers(host: Host, live: Live) -> Iterator[Finding]:
    """n-handler-threads does something, and fits the CPUs."""
    asked = live.need_database().other_config.get("n-handler-threads")
    cpus, dispatch = usable_cpus(host, live), per_cpu_dispatch(host, live)
    evidence = [f"{cpus} CPUs", *_counted(host, live)]
    setting = f"n-handler-threads={asked}"
    if asked is None:
        yield _handlers_unset(cpus, evidence, dispatch=dispatch)
    elif not _is_count(asked):
        yield _no_number(setting, evidence)
    elif dispatch:
        yield note(
            f"{setting} does nothing: the kernel dispatches per CPU, so there is one handler for each of {cpus} CPUs.",
            "Remove the setting; to have fewer handlers, bound the CPU affinity of ovs-vswitchd.",
            *evidence,
        )
    elif dispatch is None:
        yield unseen(
            f"Whether {setting} does anything cannot be told without the version of ovs-vswitchd and a bridge.",
            "Start ovs-vswitchd and make the bridge, then look again.",
            *evidence,
        )
    elif int(asked) > cpus:
        yield _too_many(setting, cpus, evidence)
    else:
        yield ok(f"{setting} fits {cpus} CPUs.", *evidence)


def _handlers_unset(cpus: int, evidence: list[str], *, dispatch: bool | None) -> Finding:
    if dispatch and cpus > HEAVY:
        return note(
            f"There is one handler for each of {cpus} CPUs, which takes memory; n-handler-threads cannot change it.",
            "Bound the CPU affinity of ovs-vswitchd if its memory limit is near.",
            *evidence,
        )
    if dispatch or cpus <= MANY_CPUS:
        return ok(f"n-handler-threads is unset, which is right for {cpus} CPUs.", *evidence)
    started = max(cpus - default_revalidators(cpus), 1)
    remedy = f"Set other_config:n-handler-threads={BOUND_HANDLERS}: ovsnet tune plan."
    what = f"n-handler-threads is unset on {cpus} CPUs: ovs-vswitchd starts {started} handlers"
    if dispatch is None:
        return note(f"{what}, unless the kernel dispatches per CPU.", remedy, *evidence)
    return warning(f"{what}, each with a socket per port.", remedy, *evidence)


@examination("threads.revalidators")
def revalidators(host: Host, live: Live) -> Iterator[Finding]:
    """n-revalidator-threads fits the CPUs."""
    asked = live.need_database().other_config.get("n-revalidator-threads")
    cpus = usable_cpus(host, live)
    evidence = [f"{cpus} CPUs", *_counted(host, live)]
    setting = f"n-revalidator-threads={asked}"
    if asked is None and cpus > MANY_CPUS:
        yield note(
            f"n-revalidator-threads is unset on {cpus} CPUs: ovs-vswitchd starts {default_revalidators(cpus)}.",
            f"Set other_config:n-revalidator-threads={BOUND_REVALIDATORS} to save memory: ovsnet tune plan.",
            *evidence,
        )
    elif asked is None:
        yield ok(f"n-revalidator-threads is unset, which is right for {cpus} CPUs.", *evidence)
    elif not _is_count(asked):
        yield _no_number(setting, evidence)
    elif int(asked) > cpus:
        yield _too_many(setting, cpus, evidence)
    else:
        yield ok(f"{setting} fits {cpus} CPUs.", *evidence)


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) > 0


def _no_number(setting: str, evidence: list[str]) -> Finding:
    return warning(
        f"{setting} is no number of threads: ovs-vswitchd uses its default.", "Correct or remove it.", *evidence
    )


def _too_many(setting: str, cpus: int, evidence: list[str]) -> Finding:
    return warning(
        f"{setting} is more than the {cpus} CPUs that ovs-vswitchd may use: each thread costs memory and two pipes.",
        f"Set it to at most {cpus}.",
        *evidence,
    )


def _counted(host: Host, live: Live) -> list[str]:
    try:
        found = running_threads(host, live)
    except UnfitEnvironment:
        return []
    return [f"{found.handlers} handlers and {found.revalidators} revalidators run"] if found else []

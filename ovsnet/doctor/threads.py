"""Thread settings of ovs-vswitchd against the CPUs it may use; how they interact is in ``node/vswitchd_threads``."""

from __future__ import annotations

from collections.abc import Iterator

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, unseen, warning
from ovsnet.errors import UnfitEnvironment
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host
from ovsnet.node.vswitchd_threads import (
    asked_threads,
    default_handlers,
    default_revalidators,
    per_cpu_dispatch,
    running_threads,
    usable_cpus,
)
from ovsnet.texts import whole_number

MANY_CPUS = 12
"""Above it the article, and Kube-OVN's start-ovs.sh, bound the threads to save memory."""
BOUND_HANDLERS, BOUND_REVALIDATORS = 10, 4

HEAVY = 64
"""Handlers whose stacks and sockets weigh: 96 of them ended in an out-of-memory kill (ovn-kubernetes #3842)."""


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
            f"{setting} does nothing: the kernel dispatches per CPU, as the handlers that run on {cpus} CPUs show.",
            "Remove the setting; to have fewer handlers, bound the CPU affinity of ovs-vswitchd.",
            *evidence,
        )
    elif dispatch is None:
        yield unseen(
            f"Whether {setting} has an effect cannot be seen: the kernel may dispatch per CPU.",
            "With ovs-vswitchd and a bridge up, run ovsnet doctor again, or look for `Overriding n-handler-threads` in "
            "its log.",
            *evidence,
        )
    elif int(asked) > cpus:
        yield _too_many(setting, cpus, evidence)
    else:
        yield ok(f"{setting} fits {cpus} CPUs.", *evidence)


def _handlers_unset(cpus: int, evidence: list[str], *, dispatch: bool | None) -> Finding:
    if dispatch and cpus > HEAVY:
        return note(
            f"{cpus} CPUs have a handler each, which takes memory; n-handler-threads cannot change it.",
            "Bound the CPU affinity of ovs-vswitchd if its memory limit is near.",
            *evidence,
        )
    if dispatch or cpus <= MANY_CPUS:
        return ok(f"n-handler-threads is unset, which is right for {cpus} CPUs.", *evidence)
    started = default_handlers(cpus)
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
    handlers = 0 if per_cpu_dispatch(host, live) else asked_threads(live).handlers
    if asked is None and cpus > MANY_CPUS:
        started = default_revalidators(cpus, handlers)
        yield note(
            f"n-revalidator-threads is unset on {cpus} CPUs: ovs-vswitchd starts {started}.",
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
    return (whole_number(text) or 0) > 0


def _no_number(setting: str, evidence: list[str]) -> Finding:
    return warning(
        f"{setting} is not a number of threads: ovs-vswitchd uses its default.", "Correct or remove it.", *evidence
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

"""What a userspace datapath with DPDK needs of the host: huge pages, and CPUs of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ovsnet.doctor.examination import examination
from ovsnet.doctor.finding import Finding, note, ok, warning
from ovsnet.node.facts import Live
from ovsnet.node.host_files import Host, cpus_of
from ovsnet.texts import whole_number

POOLS = "/sys/kernel/mm/hugepages"
NODES = "/sys/devices/system/node"
ONLINE = "/sys/devices/system/cpu/online"

RESERVE = (
    "Reserve some: sysctl -w vm.nr_hugepages=N, and in /etc/sysctl.d; pages of 1 GiB on the kernel's command line."
)


@examination("dpdk.hugepages")
def hugepages(host: Host, live: Live) -> Iterator[Finding]:
    """DPDK has the huge pages that it is configured to use."""
    config = live.need_database().other_config
    if config.get("dpdk-init", "").lower() not in ("true", "try"):
        yield ok("DPDK is not asked for.")
    elif "--no-huge" in config.get("dpdk-extra", ""):
        yield ok("DPDK is configured to run without huge pages.")
    elif not (pools := _reserved(host, POOLS)):
        yield warning(
            "other_config:dpdk-init is set, and the kernel has no huge pages reserved: DPDK does not start.",
            RESERVE,
            f"{POOLS}: none",
        )
    elif lacking := list(_lacking(host, config)):
        yield warning("A NUMA node has fewer huge pages than dpdk-socket-mem asks for.", RESERVE, *lacking)
    else:
        yield ok(f"{sum(pools.values()) >> 20} MiB are reserved in huge pages.", *pools)


def _reserved(host: Host, directory: str) -> dict[str, int]:
    """Bytes of each pool that has pages."""
    found = {}
    for name in host.names(directory):
        pages = (host.read(f"{directory}/{name}/nr_hugepages") or "").strip()
        if (size := re.fullmatch(r"hugepages-(\d+)kB", name)) and pages.isdigit() and int(pages):
            found[f"{directory}/{name}: {pages} pages"] = int(pages) * int(size[1]) << 10
    return found


def _lacking(host: Host, config: Mapping[str, str]) -> Iterator[str]:
    for number, wanted in enumerate(config.get("dpdk-socket-mem", "").split(",")):
        place = f"{NODES}/node{number}/hugepages"
        if (megabytes := whole_number(wanted)) is not None and host.exists(place):
            held = sum(_reserved(host, place).values()) >> 20
            if held < megabytes:
                yield f"node {number}: {held} MiB, and {wanted} are wanted"


@examination("dpdk.masks")
def masks(host: Host, live: Live) -> Iterator[Finding]:
    """The CPUs that are set aside for packets exist, and leave some for the rest."""
    config = live.need_database().other_config
    online = cpus_of(host.need(ONLINE))
    found = []
    held = {}
    for key in ("pmd-cpu-mask", "dpdk-lcore-mask"):
        if (text := config.get(key, "").strip()) and (cpus := _cpus(text)) is None:
            found.append(
                warning(
                    f"other_config:{key} is {text!r}, which is not a hexadecimal mask.",
                    "Correct it: 0x6 is CPUs 1 and 2.",
                )
            )
        elif text and cpus is not None:
            held[key] = cpus
            found += _judge(key, text, cpus, online)
    shared = held.get("pmd-cpu-mask", frozenset()) & held.get("dpdk-lcore-mask", frozenset())
    if shared:
        found.append(
            note(
                f"CPU {_list(shared)} is in pmd-cpu-mask and in dpdk-lcore-mask: a thread that polls shares it.",
                "Give the masks different CPUs.",
            )
        )
    yield from found or [ok("No mask names a CPU that is not there.", *(f"{key}={config[key]}" for key in held))]


def _judge(key: str, text: str, cpus: frozenset[int], online: frozenset[int]) -> Iterator[Finding]:
    if absent := cpus - online:
        yield warning(
            f"other_config:{key} is {text}, and there is no CPU {_list(absent)}: no thread is made for it.",
            f"Correct the mask: CPUs {_list(online)} are online.",
        )
    if key == "pmd-cpu-mask" and cpus >= online:
        yield warning(
            f"other_config:{key} is {text}: threads that poll take every CPU, and leave none for anything else.",
            "Leave CPUs out of it, for ovs-vswitchd's main loop and for the host.",
        )


def _cpus(mask: str) -> frozenset[int] | None:
    """Those that a mask names (lib/ovs-numa.c, ``ovs_numa_dump_cores_with_cmask``)."""
    if not re.fullmatch(r"(?:0[xX])?[0-9a-fA-F]+", mask):
        return None
    bits = int(mask, 16)
    return frozenset(number for number in range(bits.bit_length()) if bits >> number & 1)


def _list(cpus: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(cpus)))

"""The host itself."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator, Mapping

from ovsnet import doctor
from ovsnet.errors import OvsnetError
from ovsnet.health.checks.central import is_here
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, failed, not_used, ok
from ovsnet.node.certificates import Dated, PemFile, dated, named_by
from ovsnet.node.components import COMPONENTS, CONTROLLER, NB, OVSDB, SB, VSWITCHD, Component
from ovsnet.node.memory import Memory, memories
from ovsnet.node.node import Node
from ovsnet.node.renewals import KeyPair, not_loaded, pairs_named_by
from ovsnet.node.tls_rows import TlsRow, go_through_tls, reads_row


@check("host.fit", daemon="ovsdb-server", every=60)
async def fit(node: Node) -> Answer:
    """Nothing on this host makes Open vSwitch impossible.

    The fatal findings of ``ovsnet doctor`` only: a kernel with a known defect, a module that a bridge needs and that
    cannot be had. Reads a few files, and what the database said; asks nobody.
    """
    host = doctor.Host(rundir=node.rundir)
    live = doctor.Live()
    if (database := node.ovsdb.current) is not None:
        facts = doctor.DatabaseFacts(
            ovs_version=database.ovs_version,
            other_config=database.other_config,
            external_ids=database.external_ids,
            bridges=database.datapaths,
            offered_datapaths=database.offered_datapaths,
        )
        live = doctor.Live(database=facts)
    findings = doctor.fatal_findings(host, live)
    if not findings:
        return ok("Nothing on this host makes Open vSwitch impossible.")
    first = findings[0]
    return failed("unfit", f"{first.code}: {first.summary}", facts={"advice": first.remedy}, findings=len(findings))


@check("host.memory", daemon="", every=10)
async def memory_left(node: Node) -> Answer:
    """No daemon of this host is near the memory limit of its cgroup, and none was killed for it recently.

    A daemon that reaches the limit is killed (SIGKILL), and again after each restart. Reads a few files.
    """
    nearest = 0.0
    pids = node.pids()
    # In a thread: the kernel adds up the counts of all CPUs when memory.stat is read (mm/memcontrol.c).
    groups = await asyncio.to_thread(memories, pids)
    for name, found in groups.items():
        if found is None:
            continue
        nearest = max(nearest, found.share)
        if trouble := node.daemons[name].memory.look(found, node.clock(), pids[name]):
            return _short_of_memory(COMPONENTS[name].title, pids[name], found, trouble)
    if not nearest:
        return not_used("No daemon has a memory limit, as far as can be seen.")
    return ok(f"No daemon uses more than {nearest:.0%} of its memory limit.", share=nearest)


def _short_of_memory(title: str, pid: int, found: Memory, trouble: str) -> Answer:
    used, limit = (f"{each / (1 << 20):.0f} MiB" for each in (found.used, found.limit))
    facts = {"title": title, "pid": str(pid)}
    facts |= {"used": used, "limit": limit, "setting": found.setting} if found.limit else {}
    kills = found.kills or found.pod_kills
    if trouble == "killed":
        facts["kills" if found.limit else "unlimited"] = str(kills)
        where = "cgroup" if found.kills else "pod"
        bounds = f"its limit is {limit}" if found.limit else "it has no limit of its own"
        detail = f"The kernel killed in the {where} of {title} for lack of memory ({kills} times); {bounds}."
    else:
        detail = f"{title} (process {pid}) and its cgroup {found.group} use {used} of {limit}."
    return failed("memory-short", detail, facts=facts, share=found.share, kills=kills)


@check("host.certificates", daemon="", every=20)
async def certificates(node: Node) -> Answer:
    """No certificate that ovsnet or a daemon of this host uses has ended or ends soon.

    Those on the daemons' command lines, in ovsnet's settings, and in the databases whose row SSL is used. Reads a few
    files; a northbound or southbound of this host is asked for two rows.
    """
    await _read_rows(node)
    files = list(_pem_files(node))
    return judge_certificates(await asyncio.to_thread(dated, files) if files else [], time.time())


def judge_certificates(found: list[Dated], now: float) -> Answer:
    """What follows from the dates at ``now``, in seconds since 1970. Pure."""
    if not found:
        return not_used("Nothing here uses TLS, or its files cannot be read.")
    worst = min(found, key=lambda each: (each.is_valid(now), not each.ends_soon(now), each.left(now)))
    days = worst.left(now) / 86400
    named = f"{worst.file.path} of {worst.file.whose}"
    facts = {"file": worst.file.path, "whose": worst.file.whose, "days": f"{abs(days):.0f}"}
    if not worst.is_valid(now):
        why = f"ended {-days:.1f} days ago" if days < 0 else "is not valid yet"
        facts |= {"ended" if days < 0 else "early": worst.file.path}
        return failed("certificate-expired", f"{named} {why}.", facts=facts, days=days)
    if worst.ends_soon(now):
        return failed("certificate-expires", f"{named} ends in {days:.1f} days.", facts=facts, days=days)
    return ok(f"{named} is the first to end, in {days:.0f} days.", days=days)


@check("host.renewals", daemon="", every=20)
async def renewals(node: Node) -> Answer:
    """The daemons have loaded the certificates that are on the disk.

    Those on their command lines, and those that the databases name. Looks at the times of a few files.
    """
    await _read_rows(node)
    pairs = list(_key_pairs(node))
    if not pairs:
        return not_used("No daemon here uses TLS, as far as can be seen.")
    if (found := await asyncio.to_thread(not_loaded, *pairs)) is None:
        return ok("The daemons have loaded their certificates.")
    return failed(
        "certificate-not-loaded",
        f"{found.certificate} was renewed since {found.whose} started, and {found.key} was not: {found.whose} goes on "
        "with the certificate that it had.",
        facts={"file": found.certificate, "key": found.key, "whose": found.whose},
    )


async def _read_rows(node: Node) -> None:
    await node.read_configuration()
    for component in (NB, SB):
        if is_here(node, component):
            with contextlib.suppress(OvsnetError):  # its own checks judge it
                served = await node.served[component.daemon].session(node.settings.timeout)
                await served.read_tls(timeout=node.settings.timeout)


def _rows_used(node: Node, pids: Mapping[str, int]) -> Iterator[tuple[TlsRow, Component]]:
    """The rows SSL of the databases, and each daemon that goes through TLS with what they name."""
    database = node.ovsdb.current
    if database is not None and (row := database.tls) is not None:
        # It takes them from the row SSL (controller/ovn-controller.c, update_ssl_config).
        if any(each.scheme == "ssl" for each in node.southbound_remotes):
            yield row, CONTROLLER
        if go_through_tls(database.targets("Controller")):
            yield row, VSWITCHD
        pid = pids.get(OVSDB.daemon)
        if pid is not None and go_through_tls(database.targets("Manager")) and reads_row(pid, "Open_vSwitch"):
            yield row, OVSDB
    for component in (NB, SB):
        served = node.served[component.daemon].current
        if served is not None and served.tls is not None:
            yield served.tls, component


def _key_pairs(node: Node) -> Iterator[KeyPair]:
    pids = node.pids()
    for name, pid in pids.items():
        yield from pairs_named_by(pid, COMPONENTS[name].title)
    for row, component in _rows_used(node, pids):
        if (theirs := pids.get(component.daemon)) is not None:
            yield KeyPair(row.certificate, row.key, component.title, theirs)


def _pem_files(node: Node) -> Iterator[PemFile]:
    settings = node.settings
    for path, trusted in (
        (settings.tls_certificate, False),
        (settings.tls_ca, True),
        (settings.serve_certificate, False),
        (settings.serve_client_ca, True),
    ):
        if path:
            yield PemFile(path, "ovsnet", trusted=trusted)
    pids = node.pids()
    for name, pid in pids.items():
        yield from named_by(pid, COMPONENTS[name].title)
    for row, component in _rows_used(node, pids):
        theirs = pids.get(component.daemon)
        yield PemFile(row.certificate, component.title, theirs)
        yield PemFile(row.ca, component.title, theirs, trusted=True)

"""The host itself."""

from __future__ import annotations

from ovsnet import doctor
from ovsnet.health.checks.declaration import check
from ovsnet.health.checks.result import Answer, failed, ok
from ovsnet.node.node import Node


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

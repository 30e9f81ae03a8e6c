"""Changes of the northbound on a network of real daemons."""

from __future__ import annotations

from ovsnet.bench.churn import ENGINES, Churn, counted
from ovsnet.bench.machine import this_machine
from ovsnet.bench.result import ENGINE, Document
from ovsnet.bench.rounds import in_rounds
from ovsnet.bench.workloads.churn import WORKLOAD
from tests.patience import PATIENCE

ENGINE_STATS = """\
Node: SB_port_binding
- recompute:          500
- compute:              0
- cancel:               0
Node: lflow_output
- recompute:            2
- compute:             40
- cancel:               0
Node: pflow_output
- recompute:            1
- compute:             41
- cancel:               0
"""


def test_only_nodes_that_make_flows_count_as_recomputed() -> None:
    """Every run of an engine counts as a recompute of its tables."""
    assert counted(ENGINE_STATS, ENGINES["ovn-controller"]) == (3, 81)


async def test_each_change_is_followed_to_its_port_and_to_all_chassis() -> None:
    document = Document(command="ovsnet bench churn", began="", machines=[this_machine()])
    plan = Churn(chassis=3, changes=6, ports=2, at_once=2, deadline=PATIENCE)
    await in_rounds(WORKLOAD, [plan], document, rounds=1, announce=lambda title, total: None)
    (run,) = document.runs
    found = run.measures
    assert run.problems == []
    assert (found.done, found.lost) == (6, 0)
    assert (found.installed.count, found.everywhere.count) == (6, 6)
    assert set(run.cpu_seconds) == {
        *(ENGINE, "ovsdb-server", "ovn-nb", "ovn-sb", "ovs-vswitchd", "ovn-northd", "ovn-controller")
    }
    assert all(run.peak_bytes.values())
    # The ovn-controller of its port computes flows for each change, as northd does.
    computed = {who: found.recomputes[who] + found.computes[who] for who in found.computes}
    assert computed["ovn-controller"] >= 6
    assert computed["ovn-northd"] > 0
    row = WORKLOAD.columns(run)
    assert row["done"] == "6"
    assert "ovn-northd recomputes" in row

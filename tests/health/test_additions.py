"""A check and a component are one declaration each; everything else follows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.agent.agent import Agent
from ovsnet.config import Settings
from ovsnet.deploy.tables import checks_table, diagnoses_table
from ovsnet.health.cause import State
from ovsnet.health.checks.declaration import CHECKS, check
from ovsnet.health.checks.result import Answer, Result, Status, ok
from ovsnet.health.diagnosis import diagnose
from ovsnet.health.timeline import Timeline
from ovsnet.node.components import COMPONENTS, Component, Socket, declare
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking
from tests.health.checks.conftest import asking as asking
from tests.health.results import result
from tests.web.conftest import Serve
from tests.web.conftest import serve as serve


@pytest.fixture
def interconnection() -> Iterator[None]:
    """The declaration of a component, and of a check that asks it."""
    declare(
        Component(
            daemon="ovn-ic",
            name="ic",
            title="ovn-ic",
            sockets=("ovn-ic.*.ctl",),
            ovn=True,
            control=True,
        )
    )

    @check("ic.status", daemon="ovn-ic", socket=Socket.CONTROL)
    async def status(node: Node) -> Answer:
        """ovn-ic is active."""
        control = await node.control["ovn-ic"].session(node.settings.timeout)
        return ok((await control.call("status", timeout=node.settings.timeout)).strip())

    yield
    del CHECKS["ic.status"], COMPONENTS["ovn-ic"]


def diagnosis_of(found: Result) -> tuple[str, State]:
    timeline = Timeline(0.0, [])
    diagnosis = diagnose({found.name: found}, timeline, now=1.0, allowance=0.0)
    return diagnosis.code, diagnosis.state


@pytest.mark.usefixtures("interconnection")
@pytest.mark.parametrize(
    ("reason", "status", "verdict"),
    [
        ("gone", Status.FAILED, ("ic-down", State.NOT_READY)),
        ("hung", Status.FAILED, ("ic-hung", State.NOT_READY)),
        ("busy", Status.SLOW, ("ic-slow", State.DEGRADED)),
    ],
)
def test_component_has_its_diagnoses(reason: str, status: Status, verdict: tuple[str, State]) -> None:
    assert diagnosis_of(result("ic.status", status, reason=reason)) == verdict


@pytest.mark.usefixtures("interconnection")
async def test_check_has_its_endpoint_its_metrics_and_its_line_in_the_document(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("ic.status", Status.FAILED, "hung", "It stands still.")
        assert (await served.get("/readyz/ic.status"))[:2] == (503, "[-]ic.status failed: It stands still.\n")
        metrics = (await served.get("/metrics"))[1]
        assert 'ovsnet_check_status{check="ic.status",status="failed"} 1.0' in metrics
        assert 'ovsnet_diagnosis{code="ic-hung"} 1.0' in metrics
        assert 'ovsnet_link_up{link="ic"} 0.0' in metrics
        assert '"name":"ic.status"' in (await served.get("/status"))[1]  # what the page and `top` draw


@pytest.mark.usefixtures("interconnection")
def test_check_and_component_have_their_rows_in_the_pages() -> None:
    assert "| `ic.status` | ovn-ic is active. |  | ovn-ic |" in checks_table()
    assert all(f"| [`ic-{verdict}`](#ic-{verdict}) |" in diagnoses_table() for verdict in ("down", "hung", "slow"))


@pytest.mark.usefixtures("interconnection")
def test_agent_schedules_the_check(tmp_path: Path) -> None:
    agent = Agent(Settings(), Rundir(tmp_path, tmp_path))
    assert "ovn-ic" in agent.node.daemons
    assert "ic.status" in agent._wake


@pytest.mark.usefixtures("interconnection")
async def test_component_is_asked_over_its_own_control_socket(shared_node: Sandbox, asking: Asking) -> None:
    socket = shared_node.rundir / "ovn-ic.1.ctl"
    socket.symlink_to(f"ovn-northd.{shared_node.pid('ovn-northd')}.ctl")  # which knows the same command
    try:
        async with asking(shared_node) as ask:
            said = await ask("ic.status")
    finally:
        socket.unlink()
    assert (said.status, said.detail) == (Status.OK, "Status: active")

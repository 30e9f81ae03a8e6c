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
def northd() -> Iterator[None]:
    """The declaration of a component, and of a check that asks it."""
    declare(
        Component(
            daemon="ovn-northd",
            name="northd",
            title="ovn-northd",
            sockets=("ovn-northd.*.ctl",),
            ovn=True,
            control=True,
        )
    )

    @check("northd.status", daemon="ovn-northd", socket=Socket.CONTROL)
    async def status(node: Node) -> Answer:
        """ovn-northd is active."""
        control = await node.control["ovn-northd"].session(node.settings.timeout)
        return ok(await control.call("status", timeout=node.settings.timeout))

    yield
    del CHECKS["northd.status"], COMPONENTS["ovn-northd"]


def diagnosis_of(found: Result) -> tuple[str, State]:
    timeline = Timeline(0.0, [])
    diagnosis = diagnose({found.name: found}, timeline, now=1.0, allowance=0.0)
    return diagnosis.code, diagnosis.state


@pytest.mark.usefixtures("northd")
@pytest.mark.parametrize(
    ("reason", "status", "verdict"),
    [
        ("gone", Status.FAILED, ("northd-down", State.NOT_READY)),
        ("hung", Status.FAILED, ("northd-hung", State.NOT_READY)),
        ("busy", Status.SLOW, ("northd-slow", State.DEGRADED)),
    ],
)
def test_component_has_its_diagnoses(reason: str, status: Status, verdict: tuple[str, State]) -> None:
    assert diagnosis_of(result("northd.status", status, reason=reason)) == verdict


@pytest.mark.usefixtures("northd")
async def test_check_has_its_endpoint_its_metrics_and_its_line_in_the_document(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        served.agent.tell("northd.status", Status.FAILED, "hung", "It stands still.")
        assert (await served.get("/readyz/northd.status"))[:2] == (503, "[-]northd.status failed: It stands still.\n")
        metrics = (await served.get("/metrics"))[1]
        assert 'ovsnet_check_status{check="northd.status",status="failed"} 1.0' in metrics
        assert 'ovsnet_diagnosis{code="northd-hung"} 1.0' in metrics
        assert 'ovsnet_link_up{link="northd"} 0.0' in metrics
        assert '"name":"northd.status"' in (await served.get("/status"))[1]  # what the page and `top` draw


@pytest.mark.usefixtures("northd")
def test_check_and_component_have_their_rows_in_the_readme() -> None:
    assert "| `northd.status` | ovn-northd is active. |  | ovn-northd |" in checks_table()
    assert all(f"| `northd-{verdict}` |" in diagnoses_table() for verdict in ("down", "hung", "slow"))


@pytest.mark.usefixtures("northd")
def test_agent_schedules_the_check(tmp_path: Path) -> None:
    agent = Agent(Settings(), Rundir(tmp_path, tmp_path))
    assert "ovn-northd" in agent.node.daemons
    assert "northd.status" in agent._wake


@pytest.mark.usefixtures("northd")
async def test_component_is_asked_over_its_own_control_socket(shared_node: Sandbox, asking: Asking) -> None:
    async with asking(shared_node) as ask:
        said = await ask("northd.status")
    assert (said.status, said.detail.strip()) == (Status.OK, "Status: active")

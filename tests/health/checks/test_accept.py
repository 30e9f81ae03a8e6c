"""The visits that show whether a daemon serves a new connection."""

from __future__ import annotations

import pytest

from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.asking import run
from ovsnet.health.checks.result import Result, Status
from ovsnet.sandbox.node import Sandbox
from tests.health.checks.conftest import Asking

VISITS = 30

ACCEPTS = {"ovsdb.accept": "ovsdb-server", "controller.accept": "ovn-controller", "openflow.accept": "ovs-vswitchd"}


OF_ITSELF = ("|memory", "|timeval", "|poll_loop", "|ovs_rcu", "|coverage")
"""Modules by which a daemon reports its size, ten seconds after its start, and that it was held up."""


@pytest.mark.parametrize(("name", "daemon"), ACCEPTS.items())
async def test_visit_is_served_and_leaves_no_line_in_the_log(
    shared_node: Sandbox, asking: Asking, name: str, daemon: str
) -> None:
    async with asking(shared_node) as ask:
        assert (await ask(name)).status is Status.OK
        before = shared_node.log(daemon, 10_000).splitlines()
        for _ in range(VISITS):
            result = await ask(name)
            assert result.status is Status.OK
            assert (result.rtt_seconds or 0) > 0
    logged = shared_node.log(daemon, 10_000).splitlines()[len(before) :]
    assert not [line for line in logged if not any(module in line for module in OF_ITSELF)]


@pytest.mark.parametrize("name", ["ovsdb.accept", "controller.accept"])
async def test_daemon_that_owes_an_answer_is_not_visited(
    node: Sandbox, asking: Asking, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A connection more would only wait in its backlog."""
    check = CHECKS[name]
    async with asking(node, timeout=0.4) as ask:
        need = await ask.until(check.needs[0], lambda now: now.status is Status.OK)
        await node.freeze(check.daemon)
        assert (await ask.until(check.needs[0], lambda now: now.status is Status.SLOW)).reason == "late"
        for visit in ("visit_database", "visit_control"):
            monkeypatch.setattr(ask.node, visit, None)  # a call of it raises
        results: dict[str, Result] = {check.needs[0]: need}
        assert (await run(check, ask.node, results)).reason == "late"
        await node.thaw(check.daemon)

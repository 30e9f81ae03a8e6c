"""The kubelet's timings follow from the agent's deadlines, and it kills no switch without proof."""

from __future__ import annotations

from typing import Any

import pytest

from ovsnet.config import Settings
from ovsnet.deadlines import STALLED
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.probes import (
    BOOT,
    LONGEST_BACKOFF,
    NEVER,
    Probe,
    agent_probes,
    answers,
    readiness,
    switch_probes,
)
from ovsnet.web.endpoints import ENDPOINTS

OTHERS: list[dict[str, Any]] = [{}, {"dead_after": 5.0}, {"dead_after": 600.0, "interval": 10.0, "fall": 3}]


def path(probe: Probe) -> str:
    asked = probe["httpGet"]
    assert isinstance(asked, dict)
    return str(asked["path"])


def seconds(probe: Probe) -> int:
    """After which the kubelet acts, at the latest."""
    return int(str(probe["periodSeconds"])) * int(str(probe["failureThreshold"]))


@pytest.mark.parametrize("settings", OTHERS)
def test_every_probe_asks_a_path_that_there_is_and_ends_before_the_next(settings: dict[str, Any]) -> None:
    deployment = Deployment(Settings(**settings))
    singles = (answers(deployment), readiness(deployment))
    for probe in (*agent_probes(deployment).values(), *switch_probes(deployment).values(), *singles):
        assert path(probe) in ENDPOINTS
        assert 1 <= int(str(probe["timeoutSeconds"])) <= int(str(probe["periodSeconds"]))


def test_agent_is_restarted_for_its_own_loop_alone_and_not_while_it_may_still_turn() -> None:
    probes = agent_probes(Deployment())
    assert {path(probe) for probe in probes.values()} == {"/livez"}
    assert seconds(probes["livenessProbe"]) > 2 * STALLED
    assert int(str(probes["livenessProbe"]["timeoutSeconds"])) >= STALLED


@pytest.mark.parametrize("settings", OTHERS)
def test_node_is_unready_within_two_of_the_agents_own_verdicts(settings: dict[str, Any]) -> None:
    known = Settings(**settings)
    probe = readiness(Deployment(known))
    assert path(probe) == "/readyz"
    assert seconds(probe) <= max(2, 2 * known.fall * known.interval)


@pytest.mark.parametrize("settings", OTHERS)
def test_agent_that_crashes_again_and_again_does_not_take_the_switch_along(settings: dict[str, Any]) -> None:
    probe = switch_probes(Deployment(Settings(**settings)))["livenessProbe"]
    assert path(probe) == "/ovs/livez"
    assert seconds(probe) >= LONGEST_BACKOFF + BOOT


def test_nobody_kills_a_switch_that_starts_slowly() -> None:
    probe = switch_probes(Deployment())["startupProbe"]
    assert (path(probe), probe["failureThreshold"]) == ("/startupz", NEVER)
    assert NEVER == 2**31 - 1  # int32 in the API: one more would be refused

"""The one document, from a health that the test wrote."""

from __future__ import annotations

import random
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from ovsnet import __version__
from ovsnet.agent.agent import Agent
from ovsnet.agent.document import document, knobs, versions
from ovsnet.agent.findings import MOST_KEYS
from ovsnet.config import Settings
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Status
from ovsnet.health.checks.round import ask_all
from ovsnet.health.state import HealthState
from ovsnet.node.node import Node
from ovsnet.node.rundir import Rundir
from ovsnet.sandbox.node import Sandbox
from ovsnet.texts import json_of
from ovsnet.tune import judge_keys
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.knob import Knob, Place, Unit
from ovsnet.web.metrics import render
from tests.health.results import result

NOW = 100.0
OFFSET = 1000.0


@pytest.fixture
def node(tmp_path: Path) -> Node:
    """One that nobody asks: it has no connection."""
    return Node(Settings(), Rundir(tmp_path, tmp_path), clock=lambda: NOW, rng=random.Random(1))


class Told:
    """A link whose database says this."""

    def __init__(self, **columns: Any) -> None:
        columns = {"ovs_version": "", "other_config": {}, "external_ids": {}} | columns
        self.current = SimpleNamespace(**columns)


def told(node: Node, monkeypatch: pytest.MonkeyPatch, **columns: Any) -> Node:
    monkeypatch.setattr(node, "ovsdb", Told(**columns))
    return node


def test_times_are_seconds_since_1970_and_ages_are_of_now(node: Node) -> None:
    health = HealthState(90.0, CHECKS, allowance=60.0)
    health.restarted("ovsdb-server", 90.0, 90.0)
    health.record([result("ovsdb.echo", Status.OK, 95.0, rtt_seconds=0.001)], 95.0)
    found: Any = document(health, node, name="n1", wall_offset=OFFSET)
    assert (found["node"], found["state"]) == ("n1", "starting")
    assert found["timeline"] == [{"stage": "database", "at": 1095.0, "took_seconds": 5.0}]
    assert found["diagnosis"]["since"] >= 1000.0
    (echo,) = found["checks"]
    assert (echo["status"], echo["rtt_seconds"], echo["age_seconds"]) == ("ok", 0.001, 5.0)


def test_time_that_nobody_saw_a_stage_take_is_null(node: Node) -> None:
    health = HealthState(90.0, CHECKS, allowance=60.0)
    health.record([result("ovsdb.echo", Status.OK, 95.0)], 95.0)
    found: Any = document(health, node, name="n1", wall_offset=OFFSET)
    assert found["timeline"] == [{"stage": "database", "at": 1095.0, "took_seconds": None}]


def test_result_from_the_future_has_no_negative_age(node: Node) -> None:
    health = HealthState(90.0, CHECKS, allowance=60.0)
    health.record([result("ovsdb.echo", Status.OK, NOW + 1)], NOW + 1)
    found: Any = document(health, node, name="n1", wall_offset=OFFSET)
    assert found["checks"][0]["age_seconds"] == 0.0


def test_failure_carries_its_reason_sentence_remedy_and_numbers(node: Node) -> None:
    health = HealthState(0.0, CHECKS, allowance=60.0)
    facts = {"pid": "11", "stopped": "11"}
    hung = result("ovsdb.echo", Status.FAILED, NOW, "hung", "It hangs.", values={"silent": 3}, facts=facts)
    health.record([hung], NOW)
    found: Any = document(health, node, name="n1", wall_offset=OFFSET)
    (echo,) = found["checks"]
    assert (echo["reason"], echo["detail"]) == ("hung", "It hangs.")
    assert echo["remedy"] == found["diagnosis"]["remedy"] == "Process 11 is stopped: resume it with `kill -CONT 11`."
    assert echo["values"] == {"silent": 3}
    assert found["diagnosis"]["code"] == "ovsdb-hung"
    assert found["diagnosis"]["evidence"] == ["ovsdb.echo: It hangs."]


def test_without_a_database_nothing_is_known_of_versions_and_knobs(node: Node) -> None:
    assert versions(node) == {}
    assert knobs(node) == {}


@pytest.mark.parametrize(("version", "found"), [("3.1.0", {"ovs": "3.1.0"}), ("", {})])
def test_version_is_what_the_database_tells(
    node: Node, monkeypatch: pytest.MonkeyPatch, version: str, found: dict[str, str]
) -> None:
    assert versions(told(node, monkeypatch, ovs_version=version)) == found


def test_knobs_are_those_of_the_catalogue_in_order_and_no_others(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other keys that begin like knobs describe the node."""
    node = told(
        node,
        monkeypatch,
        other_config={"n-handler-threads": "4", "min-revalidate-pps": "7", "vlan-limit": "0"},
        external_ids={"ovn-monitor-all": "true", "ovn-remote": "tcp:1.2.3.4:6642", "ovn-encap-ip": "1.2.3.4"},
    )
    assert list(knobs(node).items()) == [
        ("min-revalidate-pps", "7"),
        ("n-handler-threads", "4"),
        ("ovn-monitor-all", "true"),
    ]


def test_key_in_the_wrong_column_is_no_knob(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node = told(node, monkeypatch, other_config={"ovn-monitor-all": "true"}, external_ids={"n-handler-threads": "4"})
    assert knobs(node) == {}


def test_override_of_this_chassis_is_a_knob_where_ovn_reads_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    external_ids = {
        "system-id": "c1",
        "ovn-remote-probe-interval-c1": "60000",
        "ovn-remote-probe-interval-c2": "70000",
        "ovn-bridge-remote-probe-interval-c1": "5000",
    }
    assert knobs(told(node, monkeypatch, external_ids=external_ids)) == {"ovn-remote-probe-interval-c1": "60000"}


def test_declared_knob_shows_without_more(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    node = told(node, monkeypatch, other_config={"vlan-limit": "1"})
    assert knobs(node) == {}
    place = Place("Open_vSwitch", "Open_vSwitch", "other_config", "vlan-limit")
    declared = Knob("vlan-limit", "ovs-vswitchd", place, Unit.COUNT, "What a test declares.", default="1", source="it")
    monkeypatch.setitem(KNOBS, "vlan-limit", declared)
    assert knobs(node) == {"vlan-limit": "1"}


def test_times_follow_a_clock_that_is_set(tmp_path: Path) -> None:
    """What happened ten seconds ago did so ten seconds before now, whatever now is called."""
    agent = Agent(Settings(), Rundir(tmp_path, tmp_path))
    steps = {"clock": 100.0, "wall": 1000.0}
    agent.clock, agent.wall = lambda: steps["clock"], lambda: steps["wall"]
    assert agent.wall_offset == 900.0
    steps |= {"clock": 110.0, "wall": 1010.1}  # NTP slews it
    assert agent.wall_offset == 900.0
    steps |= {"clock": 120.0, "wall": 1020.0 + 864000}
    assert agent.wall_offset == 900.0 + 864000


def test_nothing_but_knobs_is_told_whatever_it_is_called(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {"ovn-remote-token": "SECRET1", "ovn-password": "SECRET2", "ovn-remote-probe-interval": "5"}
    config = {"n-handler-threads": "2", "n-secret": "SECRET3", "max-secret": "SECRET4"}
    node = told(node, monkeypatch, external_ids=ids, other_config=config)
    assert knobs(node) == {"n-handler-threads": "2", "ovn-remote-probe-interval": "5"}


def test_value_of_a_key_that_is_no_knob_is_in_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret in the wrong column, or under a misspelt name."""
    agent = Agent(Settings(), Rundir(tmp_path, tmp_path))
    told(agent.node, monkeypatch, external_ids={"private_key": "SECRET1"}, other_config={"privat_key": "SECRET2"})
    document = agent.document()
    found = cast("list[dict[str, str]]", document["findings"])
    assert {each["kind"] for each in found} == {"misplaced", "misspelt"}
    assert b"SECRET" not in json_of(document)


async def test_plain_node_shows_nothing_of_central_hosts() -> None:
    """Neither in the document nor in the metrics."""
    async with Sandbox(ovn=False) as plain:
        agent = Agent(Settings(), Rundir(plain.rundir, plain.rundir))
        async with agent.node:
            agent.health.record((await ask_all(CHECKS.values(), agent.node)).values(), agent.clock())
            names = [each["name"] for each in cast("list[dict[str, str]]", agent.document()["checks"])]
            metrics = render(agent, CONTENT_TYPE_PLAIN_0_0_4).decode()
    assert "ovsdb.echo" in names
    assert not [name for name in names if name.startswith(("nb.", "sb.", "northd."))]
    assert not re.findall(r'(?:check|link)="(?:nb|sb|northd)[.:"]', metrics)


async def test_document_of_a_running_agent_has_versions_processes_and_what_it_remembers(shared_node: Sandbox) -> None:
    agent = Agent(Settings(), Rundir(shared_node.rundir, shared_node.rundir))
    async with agent.node:
        agent.health.record((await ask_all(CHECKS.values(), agent.node)).values(), agent.clock())
        found: Any = agent.document()
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", found["versions"]["ovs"])
    assert re.fullmatch(r"\d\d\.\d\d\.\d+.*", found["versions"]["ovn"])
    for daemon in ("ovsdb-server", "ovs-vswitchd", "ovn-controller"):
        assert found["processes"][daemon]["pid"] == shared_node.pid(daemon)
        assert found["processes"][daemon]["since"] < found["now"]
    assert found["agent"]["version"] == __version__
    assert found["agent"]["since"] <= found["now"]
    assert found["deadlines"] == {"timeout": 1.0, "hung_after": 3.0, "dead_after": 30.0, "start_allowance": 60.0}
    assert all(each["since"] <= found["now"] for each in found["checks"])


def test_knob_that_is_set_in_vain_is_a_finding_once_it_is_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = Agent(Settings(), Rundir(tmp_path, tmp_path))
    assert agent.document()["findings"] == []
    told(agent.node, monkeypatch, other_config={"max-idel": "3"})
    (finding,) = cast("list[dict[str, str]]", agent.document()["findings"])
    assert (finding["kind"], finding["knob"]) == ("misspelt", "max-idel")
    told(agent.node, monkeypatch, other_config={"max-idle": "3 s"})
    (finding,) = cast("list[dict[str, str]]", agent.document()["findings"])
    assert (finding["kind"], finding["knob"], finding["value"]) == ("not-a-value", "max-idle", "3 s")
    told(agent.node, monkeypatch, other_config={})
    assert agent.document()["findings"] == []


def test_flood_of_keys_is_not_judged_one_by_one_and_hides_no_knob(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[object] = []
    monkeypatch.setattr(judge_keys, "_near", compared.append)
    agent = Agent(Settings(), Rundir(tmp_path, tmp_path))
    keys = {f"flood{number:06}": "b" for number in range(10_000)}
    told(agent.node, monkeypatch, external_ids=keys | {"ovn-remote-probe-interval": "x"})
    (finding,) = cast("list[dict[str, str]]", agent.document()["findings"])
    assert finding["knob"] == "ovn-remote-probe-interval"
    assert len(compared) <= 2 * MOST_KEYS


def test_check_keeps_since_when_it_says_so(node: Node) -> None:
    health = HealthState(0.0, CHECKS, allowance=60.0)
    for at in (1.0, 2.0):
        health.record([result("ovsdb.echo", Status.FAILED, at, "gone")], at)
    found: Any = document(health, node, name="n1", wall_offset=OFFSET)
    assert found["checks"][0]["since"] == 1001.0
    assert found["dead_since"] == 1001.0
    health.record([result("ovsdb.echo", Status.OK, 3.0)], 3.0)
    found = document(health, node, name="n1", wall_offset=OFFSET)
    assert (found["checks"][0]["since"], found["dead_since"]) == (1003.0, None)

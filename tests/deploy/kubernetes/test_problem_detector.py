"""The condition for node-problem-detector."""

from __future__ import annotations

import json

from ovsnet.cli.check import FORMATS
from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.problem_detector import CONDITION, config_map


def test_rule_runs_the_check_in_the_detectors_format_and_sets_the_declared_condition() -> None:
    document = config_map(Deployment(namespace="here"))
    assert document["metadata"] == {"name": "ovsnet-npd", "namespace": "here"}
    data = document["data"]
    assert isinstance(data, dict)
    config = json.loads(data["ovsnet.json"])
    (rule,), (condition,) = config["rules"], config["conditions"]
    assert rule["path"].startswith("/"), "it looks into no PATH"
    assert rule["args"][-1] in FORMATS
    assert rule["condition"] == condition["type"] == CONDITION
    assert rule["timeout"] <= config["pluginConfig"]["timeout"]

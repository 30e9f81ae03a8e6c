"""The node's condition for node-problem-detector: a custom plugin that runs ``ovsnet check`` (its
docs/custom_plugin_monitor.md). A node whose condition is true can be tainted or drained by a controller."""

from __future__ import annotations

import json

from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.kubernetes.workload import Document

CONDITION = "OpenVSwitchProblem"

PROGRAM = "/usr/local/bin/ovsnet"
"""It looks into no PATH, and refuses a rule whose file is not there (its CustomPluginConfig.Validate)."""

TIMEOUT = 10
"""Seconds for one run. Of a slow daemon, ``ovsnet check`` asks three questions in turn, and all of them twice: 7 s."""

LONGEST = 200
"""Characters of a message."""


def config() -> dict[str, object]:
    """The plugin's configuration. The detector must have ovsnet and the run directories in its container."""
    return {
        "plugin": "custom",
        "pluginConfig": {
            "invoke_interval": "30s",
            "timeout": f"{TIMEOUT}s",
            "max_output_length": LONGEST,
            "concurrency": 1,
        },
        "source": "ovsnet",
        "conditions": [{"type": CONDITION, "reason": "OpenVSwitchWorks", "message": "Open vSwitch and OVN work"}],
        "rules": [
            {
                "type": "permanent",
                "condition": CONDITION,
                "reason": "OpenVSwitchNotReady",
                "path": PROGRAM,
                "args": ["check", "--format", "npd"],
                "timeout": f"{TIMEOUT}s",
            }
        ],
    }


def config_map(deployment: Deployment) -> Document:
    """The same as a ConfigMap, to be mounted into the detector and named with ``--config.custom-plugin-monitor``."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "ovsnet-npd", "namespace": deployment.namespace},
        "data": {"ovsnet.json": json.dumps(config(), indent=2) + "\n"},
    }

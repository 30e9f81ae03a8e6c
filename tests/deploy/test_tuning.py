"""What sets knobs on many nodes says the same in each form, and each form is one that its reader takes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import anyio
import yaml

from ovsnet.deploy.kubernetes.deployment import Deployment
from ovsnet.deploy.tuning import DIRECTORY, FILE, Fleet, agent_file, agents, commands, playbook
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.knob import Product
from ovsnet.tune.wanted import wanted

FLEET = Fleet("kube-ovn", ("ovn-remote-probe-interval=30000", "max-idle=", "ovn-monitor-all=true"))
NEW = {Product.OVN: (25, 3), Product.OVS: (3, 5)}


def values(text: str) -> dict[str, str | None]:
    return {each.knob.name: each.value for each in wanted(toml=text)}


def test_file_of_the_agent_holds_what_is_wanted() -> None:
    assert values(agent_file(FLEET)) == {each.knob.name: each.value for each in FLEET.wishes()}
    assert "OVSNET_TUNE_MODE=enforce" in agent_file(FLEET)


def test_agents_follow_a_config_map_whose_name_changes_with_it() -> None:
    config, daemonset = yaml.safe_load_all(agents(FLEET, Deployment()))
    other, _ = yaml.safe_load_all(agents(Fleet("small"), Deployment()))
    assert values(config["data"][FILE]) == values(agent_file(FLEET))
    assert config["metadata"]["name"] != other["metadata"]["name"]
    pod = daemonset["spec"]["template"]["spec"]
    (agent,) = pod["containers"]
    assert {each["name"]: each.get("value") for each in agent["env"]} == {
        "OVSNET_TUNE_MODE": "enforce",
        "OVSNET_TUNE_FILE": f"{DIRECTORY}/{FILE}",
    }
    assert {"name": "tune", "configMap": {"name": config["metadata"]["name"]}} in pod["volumes"]
    assert {"name": "tune", "mountPath": DIRECTORY, "readOnly": True} in agent["volumeMounts"]


def test_playbook_plans_in_check_mode_and_says_whether_it_changed_something() -> None:
    ((play,)) = yaml.safe_load(playbook(FLEET))
    (task,) = play["tasks"]
    argv = task["ansible.builtin.command"]["argv"]
    assert argv[:2] == ["ovsnet", "tune"]
    assert "plan" in argv[2]
    assert "apply" in argv[2]
    assert argv[3:] == [
        *("--profile", "kube-ovn", "--set", "ovn-remote-probe-interval=30000"),
        *("--set", "max-idle=", "--set", "ovn-monitor-all=true", "--json"),
    ]


def test_commands_leave_out_what_is_dead_there() -> None:
    script = commands(FLEET, NEW)
    assert "# left out: ovn-openflow-probe-interval=180 (dead since OVN 24.03)\n" in script
    assert "\novs-vsctl --no-wait set Open_vSwitch . external_ids:ovn-remote-probe-interval=30000\n" in script
    assert "\novs-vsctl --no-wait remove Open_vSwitch . other_config max-idle\n" in script
    old = commands(FLEET, {Product.OVN: (23, 3)})
    assert "\novs-vsctl --no-wait set Open_vSwitch . external_ids:ovn-openflow-probe-interval=180\n" in old


async def _run(script: Path, node: Sandbox) -> None:
    await anyio.run_process(["/bin/sh", str(script)], env=os.environ | node.environment())


async def test_commands_run_on_a_node_and_set_what_they_say(tmp_path: Path) -> None:
    async with Sandbox() as node:
        await node.wait_ready()
        for program in ("ovn-nbctl", "ovn-sbctl"):
            await node.run(program, "set-connection", "ptcp:0:127.0.0.1")
        (script := tmp_path / "tune.sh").write_text(commands(FLEET, NEW))
        await _run(script, node)
        assert "30000" in await node.run("ovs-vsctl", "get", "Open_vSwitch", ".", "external_ids")
        assert (await node.run("ovn-sbctl", "get", "Connection", ".", "inactivity_probe")).strip() == "180000"
        assert "5000" in await node.run("ovn-nbctl", "get", "NB_Global", ".", "options:northd_probe_interval")
        await _run(script, node)


def test_playbook_is_taken_by_json_readers_of_its_argv() -> None:
    line = next(each for each in playbook(FLEET).splitlines() if "argv:" in each)
    assert json.loads(line.partition("argv: ")[2])[0] == "ovsnet"


def test_shell_takes_the_script(tmp_path: Path) -> None:
    (script := tmp_path / "tune.sh").write_text(commands(FLEET, {}))
    assert subprocess.run(["/bin/sh", "-n", str(script)], check=False).returncode == 0

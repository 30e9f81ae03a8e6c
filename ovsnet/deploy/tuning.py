"""What has knobs set on many nodes: a file of the agent, a DaemonSet, a playbook, or plain commands.

All but the commands leave the judgement to each node, which knows its versions, its cores and its remote.
"""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec
from msgspec.structs import replace

from ovsnet.deploy.kubernetes.deployment import NAME, Deployment
from ovsnet.deploy.kubernetes.workload import daemonset
from ovsnet.deploy.yaml_writer import stream
from ovsnet.node.version import Version
from ovsnet.tune.knob import READERS, Knob, Product
from ovsnet.tune.wanted import Wanted, wanted

DIRECTORY, FILE = "/etc/ovsnet/tune", "tune.toml"
"""Where the agent's file is, in its container or on its host."""

Mode = Literal["observe", "enforce"]


class Fleet(msgspec.Struct, frozen=True):
    """What is wanted of all nodes: a profile, and ``KNOB=VALUE`` that go before it."""

    profile: str
    pairs: tuple[str, ...] = ()
    mode: Mode = "enforce"
    force: bool = False

    def wishes(self) -> list[Wanted]:
        """Raises ConfigError for what cannot be wanted."""
        return wanted(profile=self.profile, pairs=self.pairs, force=self.force)


def toml(fleet: Fleet) -> str:
    """The agent's ``tune_file``; ``ovsnet tune apply --file`` takes it, too."""
    lines = [f"profile = {json.dumps(fleet.profile)}"] if fleet.profile else []
    for pair in fleet.pairs:
        name, _, text = pair.partition("=")
        lines.append(f"{name} = {text if text.isdigit() or text in ('true', 'false') else json.dumps(text)}")
    return "".join(f"{line}\n" for line in lines)


def agent_file(fleet: Fleet) -> str:
    """The file, with what the agent needs to take it."""
    return (
        f"# {DIRECTORY}/{FILE}. The agent takes it with OVSNET_TUNE_MODE={fleet.mode} and\n"
        f"# OVSNET_TUNE_FILE={DIRECTORY}/{FILE}, and says in ovsnet_tune_drift what is not as wanted.\n{toml(fleet)}"
    )


def agents(fleet: Fleet, deployment: Deployment) -> str:
    """A ConfigMap, and the DaemonSet of the agents that follow it.

    Its name has a digest of what is in it, so that a change rolls the agents, some at a time.
    """
    text = toml(fleet)
    name = f"{NAME}-tune-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    settings = msgspec.structs.replace(
        deployment.settings, tune_mode=fleet.mode, tune_file=f"{DIRECTORY}/{FILE}", tune_profile=""
    )
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": deployment.namespace},
        "data": {FILE: text},
    }
    return stream((config, daemonset(replace(deployment, settings=settings, knobs_map=name))))


PLAYBOOK = """\
# ansible-playbook -i INVENTORY FILE; with --check it plans, and writes nothing. Each node needs ovsnet.
# A second run changes nothing; `ovsnet tune revert` restores what was there.
- name: Knobs of Open vSwitch and OVN
  hosts: all
  become: true
  gather_facts: false
  serial: "10%"
  tasks:
    - name: Set what is wanted and has an effect on this node
      ansible.builtin.command:
        argv: {argv}
      register: ovsnet_tune
      check_mode: false
      changed_when: (ovsnet_tune.stdout | from_json).changes | length > 0
"""


def playbook(fleet: Fleet) -> str:
    """For Ansible, a tenth of the nodes at a time. YAML takes JSON as it is (YAML 1.2.2, section 1.3)."""
    words = ["--profile", fleet.profile] if fleet.profile else []
    for pair in fleet.pairs:
        words += ["--set", pair]
    if fleet.force:
        words.append("--force")
    argv = json.dumps(["ovsnet", "tune", "{{ 'plan' if ansible_check_mode else 'apply' }}", *words, "--json"])
    return PLAYBOOK.format(argv=argv)


PROGRAMS = {"Open_vSwitch": "ovs-vsctl --no-wait", "OVN_Northbound": "ovn-nbctl", "OVN_Southbound": "ovn-sbctl"}
WHERE = {
    "Open_vSwitch": "on each node",
    "OVN_Northbound": "once, where the northbound is reached",
    "OVN_Southbound": "once, where the southbound is reached",
}


def commands(fleet: Fleet, versions: Mapping[Product, Version]) -> str:
    """A shell script for hosts without ovsnet: nothing is guarded, and nothing is noted for a way back."""
    lines: list[str] = []
    wishes = fleet.wishes()
    for database, where in WHERE.items():
        found = [each for each in wishes if each.knob.place is not None and each.knob.place.database == database]
        if found:
            lines.append(f"# {where}")
            for each in found:
                lines += _command(each, versions.get(READERS[each.knob.reader]))
    return "".join(f"{line}\n" for line in ("#!/bin/sh", "set -e", *lines))


def _command(each: Wanted, version: Version | None) -> Iterator[str]:
    if each.knob.acts_on(version) is False and each.value is not None:
        yield f"# left out: {each.knob.name}={each.value} ({each.knob.life()})"
        return
    if each.knob.acts_on(version) is None:
        yield f"# {each.knob.name}: {each.knob.life()}"
    line = " ".join(_words(each.knob, each.value))
    yield f'if [ "$(nproc)" -gt {each.above_cores} ]; then {line}; fi' if each.above_cores else line


def _words(knob: Knob, value: str | None) -> Sequence[str]:
    place = knob.place
    assert place is not None
    program = PROGRAMS[place.database]
    if not place.key:  # each row of its table: `.` names the only row of one that has one
        rows = f"$({program} --bare --no-headings --columns=_uuid list {place.table})"
        change = f"{place.column}={value}" if value is not None else ""
        verb = f"set {place.table} $row {change}" if change else f"clear {place.table} $row {place.column}"
        return (f"for row in {rows}; do {program} {verb}; done",)
    if value is None:
        return (program, "remove", place.table, ".", place.column, place.key)
    return (program, "set", place.table, ".", shlex.quote(f"{place.column}:{place.key}={value}"))

"""Settings are read from what people have at hand."""

from __future__ import annotations

import pytest

from ovsnet.errors import ConfigError
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import Facts
from ovsnet.tune.finding import Kind
from ovsnet.tune.lint import faults, lint
from ovsnet.tune.offline import facts_of_reading, facts_of_text, reading_of_environment


def values(facts: Facts) -> dict[str, str]:
    return {
        setting.knob.name: setting.text
        for knob in KNOBS.values()
        for setting in facts.values(knob)
        if setting.text is not None
    }


async def test_list_of_a_real_node_reads_as_it_was_set() -> None:
    async with Sandbox(ovn=False) as node:
        await node.run(
            "ovs-vsctl", "--no-wait", "set", "Open_vSwitch", ".",
            'external_ids:ovn-remote="tcp:[::1]:6642,tcp:1.2.3.4:6642"',
            "external_ids:ovn-remote-probe-interval=10000", 'external_ids:odd="a, b=\\"c\\" {d}"',
            "other_config:n-handler-threads=4", 'other_config:max-idle="20000"', "ovs_version=3.1.0",
        )  # fmt: skip
        facts = facts_of_text(await node.run("ovs-vsctl", "list", "Open_vSwitch"))
    assert values(facts) == {"ovn-remote-probe-interval": "10000", "n-handler-threads": "4", "max-idle": "20000"}
    assert facts.remote == "tcp:[::1]:6642,tcp:1.2.3.4:6642"
    assert facts.system_id == "sandbox"
    assert facts.versions["ovs-vswitchd"] == (3, 1, 0)


def test_environment_file_reads_as_kube_ovns_scripts_write_it() -> None:
    text = (
        '# chart\nexport OVN_REMOTE_PROBE_INTERVAL="10000"\nOVN_REMOTE_OPENFLOW_INTERVAL=180\nPROBE_INTERVAL=180000\n'
    )
    assert values(facts_of_text(text)) == {
        "ovn-remote-probe-interval": "10000",
        "ovn-openflow-probe-interval": "180",
        "nb-inactivity-probe": "180000",
        "sb-inactivity-probe": "180000",
        "nb-options-inactivity-probe": "180000",
        "sb-options-inactivity-probe": "180000",
    }


def test_variable_that_is_absent_sets_nothing() -> None:
    reading = reading_of_environment({"OVN_NORTHD_PROBE_INTERVAL": "5000", "PATH": "/bin"})
    assert reading is not None
    assert values(facts_of_reading(reading)) == {"northd_probe_interval": "5000"}


@pytest.mark.parametrize("text", ["", "hello", "A=1\n", '{"external_ids": {}}'])
def test_other_text_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="without settings in a form"):
        facts_of_text(text)


DUMP = 'external_ids        : {hostname=a, ovn-remote="tcp:192.0.2.1:6642"%s}\nother_config        : {}\n'


@pytest.mark.parametrize(
    ("ids", "missing"),
    [
        (', system-id=""', ["system-id", "ovn-encap-type", "ovn-encap-ip"]),
        (', system-id="c", ovn-encap-type=geneve', ["ovn-encap-ip"]),
        (', system-id="c", ovn-encap-type=geneve, ovn-encap-ip-c="192.0.2.2"', []),
    ],
)
def test_dump_of_a_node_that_can_be_no_chassis_says_what_is_missing(ids: str, missing: list[str]) -> None:
    """kubeovn/kube-ovn#423: nothing crossed the nodes, and the dump said why."""
    found = lint(facts_of_text(DUMP % ids))
    assert [each.knob for each in faults(found)] == missing
    assert all(each.kind is Kind.MISSING for each in faults(found))


def test_dump_of_a_node_without_ovn_lacks_nothing() -> None:
    assert not lint(facts_of_text("external_ids        : {hostname=a}\nother_config        : {}\n"))

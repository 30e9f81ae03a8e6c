"""Configuration, scripts and values of charts are read for the knobs that they set."""

from __future__ import annotations

import pytest

from ovsnet.tune.readers import recognise
from ovsnet.tune.readers.reading import Reading

SWITCH = ("Open_vSwitch", "Open_vSwitch")


def read(text: str) -> Reading:
    found = recognise(text)
    assert found is not None
    return found


RELAY = (
    '{"remotes": {"ptcp:16642": {"inactivity-probe": 60000}},\n "databases": {"OVN_Southbound": '
    '{"service-model": "relay",'
    ' "source": {"tcp:192.0.2.1:6642": {"inactivity-probe": 120, "max-backoff": 60000}}}}}'
)


def test_configuration_of_a_relay_is_read() -> None:
    found = read(RELAY)
    assert [where[1] for where in found.tables] == ["remotes", "source"]
    assert found.tables["ovsdb-server --config-file", "source"][0]["inactivity_probe"] == "120"


CONFIGURATION = {
    "environment": 'export OVN_REMOTE_PROBE_INTERVAL="10000"\n# PROBE_INTERVAL=1\n',
    "values.yaml": "networking:\n  OVN_REMOTE_PROBE_INTERVAL: 10000  # ms\n",
    "daemonset": 'env:\n  - name: OVN_REMOTE_PROBE_INTERVAL\n    value: "10000"\n',
    "flow": "env: [{name: OVN_REMOTE_PROBE_INTERVAL, value: '10000'}]\n",
    "json": '"env": [{"name": "OVN_REMOTE_PROBE_INTERVAL", "value": "10000"}]',
    "script": ': ${OVN_REMOTE_PROBE_INTERVAL:-10000}\necho "OVN_REMOTE_PROBE_INTERVAL is $OVN_REMOTE_PROBE_INTERVAL"\n',
    "own default": "OVN_REMOTE_PROBE_INTERVAL=${OVN_REMOTE_PROBE_INTERVAL:-10000}\n",
    "helm": "helm install --set networking.OVN_REMOTE_PROBE_INTERVAL=10000 kube-ovn\n",
    "ovn-kubernetes": "global:\n  remoteProbeInterval: 10000\n",
    "ovnkube flag": "ovnkube --inactivity-probe=10000 \\\n",
    "ovnkube file": "[default]\ninactivity-probe=10000\n",
    "kolla": 'ovn_remote_probe_interval: "10000"\n',
    "puppet": "class { 'ovn::controller':\n  ovn_remote_probe_interval => 10000,\n}\n",
    "container": 'command: ["ovnkube", "--inactivity-probe", "10000", "--init-node", "x"]\n',
    "arguments": 'args:\n- --inactivity-probe\n- "10000"\n',
    "ansible": "- { name: ovn-remote-probe-interval, value: 10000 }\n",
}


@pytest.mark.parametrize("form", CONFIGURATION)
def test_configuration_of_any_form_gives_the_knob(form: str) -> None:
    found = read(CONFIGURATION[form])
    assert found.values == (("ovn-remote-probe-interval", "10000"),)
    assert not found.unread


def test_commands_set_what_they_say() -> None:
    script = (
        "ovs-vsctl set open . external-ids:ovn-remote=tcp:1.2.3.4:6642 \\\n"
        '  external-ids:ovn-remote-probe-intervall="5" -- set bridge br-int other-config:mac-table-size=5\n'
        "ovn-nbctl set NB_Global . options:northd_probe_interval=5000\n"
        "ovn-sbctl -- --inactivity-probe=60000 set-connection ptcp:6642\n"
        "ovn-nbctl set Connection . inactivity_probe=${PROBE:-180000}\n"
    )
    tables = read(script).tables
    assert tables[SWITCH] == [{"external_ids": {"ovn-remote": "tcp:1.2.3.4:6642", "ovn-remote-probe-intervall": "5"}}]
    assert tables["Open_vSwitch", "Bridge"][0]["other_config"] == {"mac-table-size": "5"}
    assert tables["OVN_Northbound", "NB_Global"][0]["options"] == {"northd_probe_interval": "5000"}
    assert tables["OVN_Southbound", "Connection"][0]["inactivity_probe"] == "60000"
    assert tables["OVN_Northbound", "Connection"][0]["inactivity_probe"] == "180000"


@pytest.mark.parametrize(
    "text",
    [
        'ovn_remote_probe_interval: "{{ other }}"\n',
        "env:\n- name: OVN_REMOTE_PROBE_INTERVAL\n  value: $(X)\n",
        '{"ovn-remote-probe-interval": {"default": 5000}}\n',
        "ovn_remote_probe_interval: >\n  5000\n",
        "vs_config { 'external_ids:ovn-remote-probe-interval':\n  value => '100',\n}\n",
        "vswitch::ovs::vs_config:\n  external_ids:ovn-remote-probe-interval:\n    value: 500\n",
        "ovn-remote-probe-interval=1000\novn-remote-probe-interval=2000\n",
        'ovs-vsctl set open . external_ids:ovn-remote="$REMOTE"\n',
    ],
)
def test_known_name_whose_value_is_not_clear_is_unread(text: str) -> None:
    found = read(text)
    assert found.unread or found.unresolved
    assert not found.values


def test_value_that_goes_on_behind_a_quote_is_no_literal() -> None:
    found = read(
        'ovs-vsctl set open . external-ids:ovn-remote=tcp:"${HOST}":"${PORT}" external-ids:ovn-encap-type=geneve\n'
    )
    assert found.tables[SWITCH] == [{"external_ids": {"ovn-encap-type": "geneve"}}]
    assert found.unread == ("external_ids:ovn-remote, whose value is not a literal here",)
    ipv6 = read("ovs-vsctl set open . external-ids:ovn-remote=tcp:[2001:db8::1]:6642\n")
    assert ipv6.tables[SWITCH] == [{"external_ids": {"ovn-remote": "tcp:[2001:db8::1]:6642"}}]


def test_rows_without_a_remote_say_where_remotes_can_be_instead() -> None:
    found = read("Connection table\n_uuid target\n----- ------\n\nSB_Global table\n_uuid\n-----\n")
    assert "command line" in found.notes[0]


def test_several_openflow_units_of_ovnkube_are_both_given() -> None:
    """One number goes into milliseconds and into seconds."""
    assert dict(read("ovnkube --openflow-probe=180").values) == {
        "ovn-bridge-remote-probe-interval": "180",
        "bundle-idle-timeout": "180",
    }


def test_neutrons_probe_of_the_switch_is_in_seconds() -> None:
    found = read("[ovs]\nof_inactivity_probe = 10\n[ovn]\novsdb_probe_interval = 60000\n")
    assert found.values == (("controller-inactivity-probe", "10000"),)
    assert "neutron's own client" in found.notes[0]


MAPS = {
    "bug report": 'external_ids: {ovn-remote="1.2.3.4", ovn-encap-type=genev, ovn-remote-probe-interval="6"}',
    "no colon": 'external_ids         {ovn-remote="1.2.3.4", ovn-encap-type=genev, ovn-remote-probe-interval="6"}',
    "markdown": '| external_ids | {ovn-remote="1.2.3.4", ovn-encap-type=genev, ovn-remote-probe-interval="6"} |',
    "JSON": '{"external_ids": {"ovn-remote": "1.2.3.4", "ovn-encap-type": "genev", "ovn-remote-probe-interval": 6}}',
    "YAML": "external-ids:\n  ovn-remote: 1.2.3.4\n\n  ovn-encap-type: genev\n  ovn-remote-probe-interval: '6'\nx: y\n",
    "wrapped": 'external_ids: {ovn-remote="1.2.3.4",\n  ovn-encap-type=genev,\n  ovn-remote-probe-interval="6"}',
}


@pytest.mark.parametrize("form", MAPS)
def test_map_of_any_form_is_read_whole(form: str) -> None:
    """Not only the knob in it."""
    found = read(MAPS[form])
    row = {"ovn-remote": "1.2.3.4", "ovn-encap-type": "genev", "ovn-remote-probe-interval": "6"}
    assert found.tables == {SWITCH: [{"external_ids": row}]}
    assert (found.values, found.unread) == ((), ())


@pytest.mark.parametrize(
    "text",
    [
        "external_ids: {ovn-remote: tcp:1.2.3.4:6642, ovn-encap-type: genev}\n",
        'external_ids: {ovn-remote="tcp:1.2.3.4:6642", ovn-encap-type=genev',
        "external_ids:\n  ovn-remote: '{{ remote }}'\n",
        "external_ids:\n  ovn-remote: [a, b]\n",
        "external_ids: {ovn-remote=tcp:1.2.3.4:6642}\nexternal_ids: {ovn-remote=tcp:1.2.3.5:6642}\n",
    ],
)
def test_map_that_cannot_be_made_out_is_unread(text: str) -> None:
    assert read(text).unread


def test_map_of_another_table_is_no_row_of_the_switch() -> None:
    assert recognise("external_ids: {iface-id=pod1, iface-status=active}\n") is None


@pytest.mark.parametrize(
    ("text", "knob", "value"),
    [
        ("global:\n  monitorAll: yes\n", "ovn-monitor-all", "true"),
        ('global:\n  monitorAll: "yes"\n', "ovn-monitor-all", "yes"),
        ("OVN_MONITOR_ALL=yes\n", "ovn-monitor-all", "yes"),
        ("lFlowCacheLimit: 10\n", "ovn-limit-lflow-cache", "10"),
        ("OVN_LFLOW_CACHE_LIMIT_KB=10\n", "ovn-memlimit-lflow-cache-kb", "10"),
        ("OVNOpenflowProbeInterval: 60000\n", "ovn-openflow-probe-interval", "60000"),
        ("edpm_ovn_ofctrl_wait_before_clear: 8000\n", "ovn-ofctrl-wait-before-clear", "8000"),
        ("ovnRemoteOpenflowInterval: 10\n", "ovn-openflow-probe-interval", "10"),
    ],
)
def test_names_of_charts_and_roles_set_their_knob(text: str, knob: str, value: str) -> None:
    assert read(text).values == ((knob, value),)


def test_name_that_others_use_too_counts_beside_its_own_kind() -> None:
    assert recognise("probeInterval: 5\n") is None
    assert ("nb-inactivity-probe", "5") in read("ovnRemoteProbeInterval: 6\nprobeInterval: 5\n").values


def test_variable_whose_value_comes_from_elsewhere_is_unresolved() -> None:
    text = "- name: OVN_REMOTE_OPENFLOW_INTERVAL\n  valueFrom: {configMapKeyRef: {name: x, key: y}}\n"
    assert read(text).unresolved == {"OVN_REMOTE_OPENFLOW_INTERVAL": ("ovn-openflow-probe-interval",)}


@pytest.mark.parametrize(
    "text",
    [
        "applications:\n  ovn-central:\n    options:\n      ovsdb-server-inactivity-probe: 30\n",
        "settings:\n  ovsdb-server-inactivity-probe:\n    default: 60\n    description: |\n      Of idle time.\n\n"
        "      More.\n    source: user\n    type: int\n    value: 30\n  source:\n    value: distro\n",
    ],
)
def test_option_of_a_charm_is_in_seconds(text: str) -> None:
    """As a bundle has it, and as `juju config ovn-central` prints it."""
    found = read(text)
    assert dict(found.values) == {"nb-inactivity-probe": "30000", "sb-inactivity-probe": "30000"}
    assert not found.unread


def test_probe_of_a_name_that_is_not_known_is_no_clean_bill() -> None:
    found = read("ovsdb-server-inactivity-probe: 30\nsome-northd-probe-interval: 90\n")
    assert found.unread == ("some-northd-probe-interval, a name that is not known here",)

"""Every form that people have is read for what it holds, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from ovsnet.errors import ConfigError
from ovsnet.tune.readers import READERS, recognise
from ovsnet.tune.readers.reading import Reading

SWITCH = ("Open_vSwitch", "Open_vSwitch")

LIST = """\
_uuid               : 5f3b1c52-0f3f-4d6a-8d0e-6f2a4c7a9b01
bridges             : [2c1e4b0a-9a3d-4a52-8b7f-0f1e2d3c4b5a]
cur_cfg             : 7
external_ids        : {hostname=n1, ovn-bridge-mappings="phys:br-ex,vlan:br-vlan", ovn-remote="tcp:192.0.2.7:6642", \
ovn-remote-probe-interval="10000", system-id=n1}
manager_options     : []
next_cfg            : 7
other_config        : {max-idle="20000"}
ovs_version         : "3.1.0"
"""
EXTERNAL_IDS = {
    "hostname": "n1",
    "ovn-bridge-mappings": "phys:br-ex,vlan:br-vlan",
    "ovn-remote": "tcp:192.0.2.7:6642",
    "ovn-remote-probe-interval": "10000",
    "system-id": "n1",
}


def read(text: str) -> Reading:
    found = recognise(text)
    assert found is not None
    return found


def row(text: str, where: tuple[str, str] = SWITCH) -> Any:
    (only,) = read(text).tables[where]
    return only


WRAPPED = """\
    _uuid               : 5f3b1c52-0f3f-4d6a-8d0e-6f2a4c7a9b01
    next_cfg            : 7
    external_ids        : {hostname=n1, ovn-bridge-mappings="phys:br-
                          ex,vlan:br-vlan", ovn-remote="tcp:
                          192.0.2.7:6642",ovn-remote-probe-interval="10000",
                          system-id=n1}
    manager_options     : []
"""


@pytest.mark.parametrize(
    "text",
    [
        LIST,
        f"# ovs-vsctl list Open_vSwitch\n{LIST}",
        f"\t\troot@n1:/# docker exec db ovs-vsctl list open_vswitch\n{LIST.replace('external', '  external')}",
        "".join(f"        {line}\n" for line in LIST.splitlines()),
        "".join(f"> {line}\n" for line in LIST.splitlines()),
        LIST.replace("\n", "\r\n").replace("\r\n", "\n"),
        WRAPPED,
        LIST.replace("192.0.2", "192                           .0.2"),
        LIST.split("external_ids")[0] + "external_ids" + LIST.split("external_ids")[1],
        f"{LIST}\n\n_uuid               : 1\nname                : p1\ntag                 : 7\n",
    ],
)
def test_list_is_read_however_it_was_pasted(text: str) -> None:
    assert row(text)["external_ids"] == EXTERNAL_IDS


def test_line_of_a_list_is_read_alone() -> None:
    line = next(line for line in LIST.splitlines() if line.startswith("external_ids"))
    assert row(line)["external_ids"] == EXTERNAL_IDS


def test_string_with_all_signs_is_read_as_it_was() -> None:
    odd = 'external_ids        : {odd="a, b=\\"c\\" {d} [e]", ovn-remote="unix:/a b", system-id=n1}\n'
    assert row(odd)["external_ids"] == {"odd": 'a, b="c" {d} [e]', "ovn-remote": "unix:/a b", "system-id": "n1"}


@pytest.mark.parametrize(
    "text",
    [
        'external_ids        : {hostname=n1, ovn-remote="tcp:192.0.2.7:66',
        "external_ids        : {hostname=n1, ovn-remote-probe-interval=",
        '{ovn-remote-probe-interval="10000", ovn-mon',
        'external_ids        : {hostname=n1, ovn-remote=="x"}',
        "external_ids        : tcp\nnext_cfg            : 1\nmanager_options     : [",
    ],
)
def test_what_is_cut_off_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        recognise(text)


CONTROLLER = """\
_uuid               : 1
connection_mode     : []
inactivity_probe    : 300
is_connected        : true
role                : other
target              : "tcp:127.0.0.1:6633"
"""
MANAGER = """\
_uuid               : 1
connection_mode     : []
inactivity_probe    : 60000
target              : "ptcp:6640"
status              : {bound_port="6640"}
"""
SB_CONNECTION = """\
_uuid               : 1
inactivity_probe    : 60000
is_connected        : false
max_backoff         : []
read_only           : false
target              : "ptcp:6642:0.0.0.0"

_uuid               : 2
inactivity_probe    : []
is_connected        : false
max_backoff         : []
read_only           : true
target              : "pssl:16642"
"""
NB_CONNECTION = SB_CONNECTION.replace("read_only           : false\n", "").replace("read_only           : true\n", "")
NB_GLOBAL = """\
_uuid               : 1
connections         : [2]
hv_cfg              : 0
nb_cfg              : 0
options             : {inactivity_probe="180000", northd_probe_interval="5000"}
sb_cfg              : 0
"""
SB_GLOBAL = NB_GLOBAL.replace("hv_cfg              : 0\n", "").replace("sb_cfg              : 0\n", "")
BRIDGE = """\
_uuid               : 1
datapath_type       : ""
name                : br-int
other_config        : {mac-table-size="50000"}
ports               : [2]
"""


@pytest.mark.parametrize(
    ("text", "where", "rows"),
    [
        (CONTROLLER, ("Open_vSwitch", "Controller"), 1),
        (MANAGER, ("Open_vSwitch", "Manager"), 1),
        (SB_CONNECTION, ("OVN_Southbound", "Connection"), 2),
        (NB_CONNECTION, ("OVN_Northbound", "Connection"), 2),
        (NB_GLOBAL, ("OVN_Northbound", "NB_Global"), 1),
        (SB_GLOBAL, ("OVN_Southbound", "SB_Global"), 1),
        (BRIDGE, ("Open_vSwitch", "Bridge"), 1),
        (LIST, SWITCH, 1),
        ('target              : "ptcp:6641"\ninactivity_probe    : 5000\n', ("OVN_Northbound", "Connection"), 1),
    ],
)
def test_list_of_any_table_is_known_by_its_columns(text: str, where: tuple[str, str], rows: int) -> None:
    found = read(text)
    assert {place: len(kept) for place, kept in found.tables.items()} == {where: rows}
    assert where[1] in found.form
    assert not found.unread


def test_column_that_was_not_printed_is_named() -> None:
    part = read("external_ids        : {ovn-monitor-all=true}\n")
    assert part.notes == ("Not read: other_config of Open_vSwitch, which was not printed.",)
    nothing = read("manager_options     : []\nnext_cfg            : 4\n")
    assert len(nothing.unread) == 2


@pytest.mark.parametrize(
    "text",
    [
        LIST.replace("external_ids ", "ext\u00e9rnal_ids "),
        LIST.replace("external_ids ", "nal_ids "),
        LIST.replace("external_ids        : ", ""),
        LIST.replace("external_ids        : {hostname", "{hostname"),
    ],
)
def test_setting_beside_what_was_read_is_said_to_be_unread(text: str) -> None:
    assert read(text).unread


def test_row_of_which_nobody_can_say_whose_it_is_is_said_to_be_unread() -> None:
    assert read("inactivity_probe    : 300\nmax_backoff         : []\n").unread
    assert read("external_ids        : {}\n").unread


@pytest.mark.parametrize(
    ("text", "column", "key"),
    [
        ('{n-handler-threads="10", n-revalidator-threads="4"}\n', "other_config", "n-handler-threads"),
        (
            '$ ovs-vsctl get Open_vSwitch . external_ids\n{ovn-remote="unix:/x", system-id=a}',
            "external_ids",
            "ovn-remote",
        ),
    ],
)
def test_get_of_one_column_says_that_it_is_no_more(text: str, column: str, key: str) -> None:
    assert key in row(text)[column]
    assert "no other column" in read(text).form


CONSOLE = """\
[heat-admin@c ~]$ sudo ovs-vsctl get open . external_ids
{ovn-remote="unix:/x",
  system-id=a}
root@c:~# ovs-vsctl get Open_vSwitch . other_config:bundle-idle-timeout
"60000"
root@c:~# ovs-vsctl get Open_vSwitch . other_config
{max-idle="5"}
# ovn-nbctl get NB_Global . options:northd_probe_interval
"5000"
[heat-admin@c ~]$
"""


def test_console_with_several_answers_is_read_whole() -> None:
    found = read(CONSOLE)
    assert found.tables == {
        ("Open_vSwitch", "Open_vSwitch"): [
            {
                "external_ids": {"ovn-remote": "unix:/x", "system-id": "a"},
                "other_config": {"bundle-idle-timeout": "60000", "max-idle": "5"},
            }
        ],
        ("OVN_Northbound", "NB_Global"): [{"options": {"northd_probe_interval": "5000"}}],
    }


def test_get_that_no_key_tells_is_refused() -> None:
    with pytest.raises(ConfigError, match="which column"):
        recognise("{a=b}")


TABLE = """\
_uuid                                external_ids                                              next_cfg manager_options
------------------------------------ --------------------------------------------------------- -------- ---------------
5f3b1c52-0f3f-4d6a-8d0e-6f2a4c7a9b01 {ovn-remote="tcp:192.0.2.7:6642", ovn-monitor-all="true"} 7        []
"""
CSV = """\
_uuid,external_ids,next_cfg,manager_options
5f3b,"{ovn-remote=""tcp:192.0.2.7:6642"", ovn-monitor-all=""true""}",7,[]
"""
JSON = (
    '{"data":[[["uuid","5f3b"],["map",[["ovn-remote","tcp:192.0.2.7:6642"],["ovn-monitor-all","true"]]],7,["set",[]]]],'
    '"headings":["_uuid","external_ids","next_cfg","manager_options"]}\n'
)
TWO = {"ovn-remote": "tcp:192.0.2.7:6642", "ovn-monitor-all": "true"}


@pytest.mark.parametrize("text", [TABLE, CSV, JSON, LIST.replace(LIST, JSON)])
def test_other_formats_hold_the_same(text: str) -> None:
    assert row(text)["external_ids"] == TWO


@pytest.mark.parametrize(
    "text",
    [
        f"Bridge table\n_uuid name\n----- ----\n1     br0\n\nOpen_vSwitch table\n{TABLE}\nPort table\n_uuid\n-----\n",
        f"Bridge table\n_uuid,name\n1,br0\n\nOpen_vSwitch table\n{CSV}",
        'Bridge table\n_uuid : 1\nname  : br0\n\nOpen_vSwitch table\nexternal_ids : {ovn-monitor-all="true", '
        'ovn-remote="tcp:192.0.2.7:6642"}\n',
        '{"caption":"Bridge table","data":[],"headings":["_uuid"]}\n'
        + JSON.replace("{", '{"caption":"Open_vSwitch table",', 1),
    ],
)
def test_dump_of_a_database_names_its_tables(text: str) -> None:
    assert row(text)["external_ids"] == TWO
    assert "dump" in read(text).form


def test_json_in_a_list_is_read_too() -> None:
    assert row('external_ids        : ["map",[["ovn-remote","tcp:[::1]:6642"]]]\n')["external_ids"] == {
        "ovn-remote": "tcp:[::1]:6642"
    }


def test_bare_data_is_read_too() -> None:
    text = "external_ids        : ovn-remote=tcp:1.2.3.4:6642 ovn-monitor-all=true\novs_version         : 3.1.0\n"
    assert row(text)["external_ids"] == {"ovn-remote": "tcp:1.2.3.4:6642", "ovn-monitor-all": "true"}


def test_show_names_no_setting_and_is_no_answer() -> None:
    found = read(
        '5f3b1c52-0f3f-4d6a-8d0e-6f2a4c7a9b01\n    Bridge br-int\n        fail_mode: secure\n    ovs_version: "3.1.0"\n'
    )
    assert (found.tables, found.values) == ({}, ())
    assert found.versions["ovs-vswitchd"] == (3, 1, 0)


@pytest.mark.parametrize(
    "text",
    ["", "hello\n", "A=1\n", '{"external": {}}', "- a\n- b\n", "Name: x\nValue: y\n", "\x00\x01", "{}", "{", "[]"],
)
def test_what_nobody_knows_is_not_recognised(text: str) -> None:
    try:
        found = recognise(text)
    except ConfigError:
        return
    assert found is None or not (found.tables or found.values)


def test_every_reader_says_its_form() -> None:
    assert all(reader.form for reader in READERS)
    assert len({reader.form for reader in READERS}) == len(READERS)

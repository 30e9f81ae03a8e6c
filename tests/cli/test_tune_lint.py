"""``ovsnet tune lint --from``, of what people have at hand: it judges what it read, and says what it did not."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path
from typing import Literal

import pytest

from tests.cli.conftest import Ovsnet

LIST = """\
_uuid               : 5f3b1c52-0f3f-4d6a-8d0e-6f2a4c7a9b01
external_ids        : {{ovn-encap-ip="192.0.2.8", ovn-encap-type=geneve, ovn-remote="tcp:192.0.2.7:6642", \
ovn-remote-probe-interval="{probe}", system-id={name}}}
next_cfg            : 7
manager_options     : []
other_config        : {{}}
ovs_version         : "3.5.0"
"""
CONNECTION = """\
_uuid               : 8f9ab75a-c266-4410-8e02-2ba7c0714201
inactivity_probe    : {probe}
is_connected        : true
max_backoff         : []
read_only           : false
target              : "ptcp:6642"
"""


WRITTEN: dict[str, Literal["w", "w:gz", "w:xz"]] = {"tar": "w", "tar.gz": "w:gz", "tar.xz": "w:xz"}


def switch(name: str = "n1", probe: str = "60000") -> str:
    return LIST.format(name=name, probe=probe)


def lint(ovsnet: Ovsnet, path: Path, *arguments: str) -> tuple[int, str, str]:
    ended = ovsnet("tune", "lint", "--from", path, *arguments)
    return ended.code, ended.out, ended.err


@pytest.mark.parametrize(
    "text",
    [
        "hello\n",
        "",
        '5f3b1c52-0f3f-4d6a-8d0e-6f2a4c7a9b01\n    Bridge br-int\n    ovs_version: "3.1.0"\n',
        "_uuid               : 1\nname                : eth0\nmtu                 : 1500\n",
        "external_ids        : {}\n",
        "inactivity_probe    : 300\n",
        'external_ids        : {ovn-remote="tcp:1.2.3.4',
        "Interface table\n_uuid name\n----- ----\n1     eth0\n",
        "OVSDB JSON 99 0000000000000000000000000000000000000000\n{}",
        "OVN_REMOTE_PROBE_INTERVAL: {{ x }}\n",
        "<table><tr><th>_uuid</th></tr></table>",
        "a,b\n1,2\n",
        '{"headings": ["_uuid", "external_ids"], "data": [}',
        "\x00\xff",
    ],
)
def test_what_is_not_understood_is_refused_in_a_sentence(ovsnet: Ovsnet, tmp_path: Path, text: str) -> None:
    (file := tmp_path / "text").write_bytes(text.encode("latin-1"))
    code, _, err = lint(ovsnet, file)
    assert code == 2
    assert err.startswith("ovsnet: ")
    assert "Traceback" not in err


def test_file_that_is_not_there_is_refused(ovsnet: Ovsnet, tmp_path: Path) -> None:
    code, _, err = lint(ovsnet, tmp_path / "missing")
    assert (code, "There is no" in err) == (2, True)


@pytest.mark.parametrize("kind", ["plain", "gzip", "directory", "tar", "tar.gz", "tar.xz"])
def test_whatever_it_is_packed_in_it_is_read(ovsnet: Ovsnet, tmp_path: Path, kind: str) -> None:
    (tree := tmp_path / "sos" / "sos_commands").mkdir(parents=True)
    (tree / "ovs-vsctl_list_Open_vSwitch").write_text(switch(probe="10"))
    (tree / "uptime").write_text("12:00 up 3 days\n")
    path = tmp_path / "packed"
    if kind == "plain":
        path = tree / "ovs-vsctl_list_Open_vSwitch"
    elif kind == "gzip":
        path.write_bytes(gzip.compress(switch(probe="10").encode()))
    elif kind == "directory":
        path = tmp_path / "sos"
    else:
        with tarfile.open(path, WRITTEN[kind]) as archive:
            archive.add(tmp_path / "sos", "sos")
    code, out, _ = lint(ovsnet, path)
    assert code == 1
    assert "`list` of Open_vSwitch (1 row)" in out
    assert "-> ovn-remote-probe-interval=10000" in out


def test_files_of_one_node_complete_each_other(ovsnet: Ovsnet, tmp_path: Path) -> None:
    """Neither alone shows that the server is less patient than its client."""
    (tmp_path / "switch").write_text(switch(probe="100000"))
    (tmp_path / "connection").write_text(CONNECTION.format(probe="5000"))
    code, out, _ = lint(ovsnet, tmp_path)
    assert code == 1
    assert "contradiction Connection.inactivity_probe of ptcp:6642 is 5000 ms (5 s)." in out


def test_node_that_can_be_no_chassis_is_no_clean_bill(ovsnet: Ovsnet, tmp_path: Path) -> None:
    """kubeovn/kube-ovn#423"""
    (tmp_path / "switch").write_text(switch(name='""'))
    code, out, _ = lint(ovsnet, tmp_path)
    assert (code, "system-id" in out) == (1, True)


def test_nodes_that_differ_are_judged_each_by_itself(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(switch("n1", "60000"))
    (tmp_path / "two").write_text(switch("n2", "30"))
    code, out, _ = lint(ovsnet, tmp_path)
    assert (code, "1 wrong-unit, 1 effective" in out) == (1, True)
    (pasted := tmp_path / "three").write_text(switch("n1", "60000") + "\n" + switch("n2", "30"))
    assert "1 wrong-unit, 1 effective" in lint(ovsnet, pasted)[1]


def test_directory_with_something_unread_that_names_knobs_is_no_clean_bill(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(switch())
    assert lint(ovsnet, tmp_path)[0] == 0
    (tmp_path / "two").write_text('external_ids        : {hostname=n2, ovn-remote-probe-interval="10')
    code, out, err = lint(ovsnet, tmp_path)
    assert code == 2
    assert "not read      two" in out
    assert "not a clean bill" in err


def test_directory_without_anything_is_refused(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (tmp_path / "uptime").write_text("12:00 up 3 days\n")
    code, _, err = lint(ovsnet, tmp_path)
    assert (code, "None of the 1 files" in err) == (2, True)


def test_several_values_of_one_name_are_no_clean_bill(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (file := tmp_path / "env").write_text("OVN_REMOTE_PROBE_INTERVAL=10000\nOVN_REMOTE_PROBE_INTERVAL=10\n")
    code, _, err = lint(ovsnet, file)
    assert (code, "several values" in err) == (2, True)


@pytest.mark.parametrize(
    ("probe", "code", "strict"), [("60000", 0, 0), ("999", 0, 1), ("10", 1, 1), ("99999999999", 1, 1)]
)
def test_exit_code_follows_the_harm(ovsnet: Ovsnet, tmp_path: Path, probe: str, code: int, strict: int) -> None:
    (file := tmp_path / "list").write_text(switch(probe=probe))
    assert lint(ovsnet, file)[0] == code
    assert lint(ovsnet, file, "--strict")[0] == strict


def test_row_without_an_interval_of_its_own_says_what_counts(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (file := tmp_path / "connection").write_text(CONNECTION.format(probe="[]"))
    code, out, _ = lint(ovsnet, file)
    assert code == 0
    assert (
        "not set       Connection.inactivity_probe of ptcp:6642 is not set (5000 for tcp and ssl, 0 for unix)." in out
    )


def test_chassis_that_has_its_name_elsewhere_is_judged_by_its_own_keys(ovsnet: Ovsnet, tmp_path: Path) -> None:
    """``ovn-controller -n given`` takes no notice of system-id."""
    own = switch().replace("{ovn-encap-ip", "{ovn-remote-probe-interval-given=10, ovn-encap-ip")
    (file := tmp_path / "list").write_text(own)
    code, out, _ = lint(ovsnet, file)
    assert (code, "Only a chassis of the name given reads it." in out) == (0, True)
    code, out, _ = lint(ovsnet, file, "--chassis", "given")
    assert (code, "Open_vSwitch.external_ids:ovn-remote-probe-interval-given is 10 ms" in out) == (1, True)


def test_template_is_resolved_where_its_value_is(ovsnet: Ovsnet, tmp_path: Path) -> None:
    """A chart: alone its template says nothing."""
    (tmp_path / "daemonset.yaml").write_text('- name: OVN_REMOTE_PROBE_INTERVAL\n  value: "{{ .Values.x }}"\n')
    assert lint(ovsnet, tmp_path)[0] == 2
    (tmp_path / "values.yaml").write_text("OVN_REMOTE_PROBE_INTERVAL: 10\n")
    assert lint(ovsnet, tmp_path)[0] == 1


def test_keys_that_are_right_are_counted_where_no_knob_is_set(ovsnet: Ovsnet, tmp_path: Path) -> None:
    (file := tmp_path / "relay.json").write_text('{"remotes": {"ptcp:16642": {"inactivity-probe": 60000}}}')
    code, out, _ = lint(ovsnet, file)
    assert code == 0
    assert "nothing is wrong with what is set: 1 keys, and no knob" in out

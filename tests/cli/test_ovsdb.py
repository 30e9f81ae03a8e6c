"""``ovsnet ovsdb``, as a user meets it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from ovsnet.cli.ovsdb_values import condition_of, plain, setting_of, shown, value_of
from ovsnet.errors import UsageError
from ovsnet.ovsdb import Uuid
from ovsnet.ovsdb.atoms import atom_of
from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ended, Ovsnet, Program
from tests.ovsdb.test_rows import real_schema
from tests.patience import PATIENCE

BRIDGE = real_schema("vswitch.ovsschema").table("Bridge")
UUID = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def switch() -> Iterator[Sandbox]:
    """A node without OVN, for all tests of this file."""
    node = Sandbox(ovn=False, ports=0)
    anyio.run(node.up)
    yield node
    anyio.run(node.down)


@pytest.fixture
def db(ovsnet: Ovsnet, switch: Sandbox) -> Ovsnet:
    """``db("get", "Bridge", "br-int")`` on the switch."""

    def run(*arguments: object) -> Ended:
        command, *rest = arguments
        return ovsnet("ovsdb", command, "--remote", f"unix:{switch.rundir}/db.sock", "--timeout", PATIENCE, *rest)

    return run


def test_rows_are_listed_and_found(db: Ovsnet) -> None:
    ended = db("list", "Bridge", "--columns", "name,datapath_type")
    assert ended.out.splitlines()[0].split() == ["name", "datapath_type"]
    assert any(line.startswith("br-int") for line in ended.out.splitlines())
    (row,) = json.loads(db("list", "Bridge", "br-int", "--json").out)
    assert row["name"] == "br-int"
    found = json.loads(db("find", "Bridge", "name=br-int", "stp_enable=false", "--json", "--columns", "_uuid").out)
    assert found == [{"_uuid": row["_uuid"]}]
    assert json.loads(db("find", "Bridge", "name!=br-int", "--json").out) == []


def test_columns_and_keys_are_set_and_got(db: Ovsnet) -> None:
    settings = ("external_ids:a=1", "external_ids:b=x y", "flood_vlans=1,2", "mcast_snooping_enable=true")
    ended = db("set", "Bridge", "br-int", *settings, "--json")
    assert (ended.code, json.loads(ended.out)["external_ids"]) == (0, {"a": "1", "b": "x y"})
    ended = db("get", "Bridge", "br-int", "external_ids:a", "flood_vlans", "mcast_snooping_enable", "fail_mode")
    assert ended.out.splitlines()[:3] == ["1", "[1, 2]", "true"]
    ended = db("get", "Bridge", "br-int", "external_ids", "--json")
    assert json.loads(ended.out)["external_ids"] == {"a": "1", "b": "x y"}
    assert "name: br-int" in db("get", "Bridge", "br-int").out.splitlines()
    assert db("get", "Open_vSwitch", ".", "next_cfg").code == 0
    db("set", "Bridge", "br-int", "external_ids={}", "flood_vlans=[]")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("list", "Bridg"), "has no table Bridg. Did you mean Bridge?"),
        (("get", "Bridge", "br-int", "nam"), "has no column nam. Did you mean name?"),
        (("get", "Bridge", "br-int", "zzz"), "has no column zzz. Its columns are: "),
    ],
)
def test_misspelt_table_or_column_is_answered_with_the_one_that_was_meant(
    db: Ovsnet, words: tuple[str, ...], meant: str
) -> None:
    ended = db(*words)
    assert ended.code == 2
    assert meant in ended.err


def test_no_such_row_or_key_is_a_no(db: Ovsnet) -> None:
    for arguments in (("get", "Bridge", "br9"), ("get", "Bridge", "br-int", "external_ids:none")):
        ended = db(*arguments)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err
    assert db("set", "Bridge", "br9", "fail_mode=secure").code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "Brigde"), "no table Brigde"),
        (("get", "Bridge", "br-int", "naem"), "no column naem"),
        (("set", "Bridge", "br-int", "fail_mode=sometimes"), "allowed values"),
        (("set", "Bridge", "br-int", "fail_mode"), "sets nothing"),
        (("find", "Bridge", "name"), "not a condition"),
        (("transact", "{}"), "not a JSON array of objects"),
        (("wait", "Bridge", "br-int", "naem=x"), "no column naem"),
    ],
)
def test_mistakes_are_said(db: Ovsnet, arguments: tuple[str, ...], said: str) -> None:
    ended = db(*arguments)
    assert ended.code == 2
    assert said in ended.err


def test_transaction_is_raw(db: Ovsnet) -> None:
    ended = db("transact", '[{"op": "select", "table": "Bridge", "where": [], "columns": ["name"]}]')
    assert json.loads(ended.out) == [{"rows": [{"name": "br-int"}]}]
    ended = db("transact", '[{"op": "abort"}]')
    assert ended.code == 3
    assert "aborted" in ended.err


def test_dump_holds_every_table(db: Ovsnet) -> None:
    document = json.loads(db("dump", "--json").out)
    assert document["Bridge"][0]["name"] == "br-int"
    assert set(document) >= {"Open_vSwitch", "Interface", "QoS"}
    text = db("dump", "Bridge").out.splitlines()
    assert text[0] == "Bridge"
    assert "br-int" in text[2]


def test_waiting_for_a_fact(db: Ovsnet, ovsnet: Ovsnet, switch: Sandbox) -> None:
    ended = db("wait", "Bridge", "br-int", "stp_enable=false")
    assert (ended.code, ended.out) == (0, "")
    assert json.loads(db("wait", "Bridge", "br-int", "stp_enable=false", "--json").out)["stp_enable"] is False
    remote = f"unix:{switch.rundir}/db.sock"
    ended = ovsnet("ovsdb", "wait", "--remote", remote, "--timeout", "0.1", "Bridge", "br9")
    assert ended.code in (1, 3)
    assert "within" in ended.err


def test_monitor_prints_what_is_there_and_what_changes(db: Ovsnet, switch: Sandbox, program: Program) -> None:
    remote = f"unix:{switch.rundir}/db.sock"
    command = ("ovsdb", "monitor", "--remote", remote, "--timeout", str(PATIENCE), "Bridge:name,external_ids")
    with program(*command, "--json", "--count", "1") as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert [change["new"]["name"] for change in first["changes"]] == ["br-int"]
        db("set", "Bridge", "br-int", "external_ids:seen=yes")
        second = json.loads(process.stdout.readline())
        assert second["changes"][0]["new"]["external_ids"]["seen"] == "yes"
        assert process.wait() == 0
    with program(*command) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("+ Bridge ")
        db("set", "Bridge", "br-int", "external_ids={}")
        line = process.stdout.readline()
        assert line.startswith("~ Bridge ")
        assert line.endswith("external_ids={}\n")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130


def test_server_that_is_away_is_said_at_once(ovsnet: Ovsnet, tmp_path: Path) -> None:
    ended = ovsnet("ovsdb", "list", "--remote", f"unix:{tmp_path}/none", "Bridge")
    assert ended.code == 3
    assert "does not exist" in ended.err
    ended = ovsnet("ovsdb", "list", "--remote", f"unix:{tmp_path}/none", "--retry", "--timeout", "0.05", "Bridge")
    assert ended.code == 3
    assert "No server could be used within 0.05 s" in ended.err


def test_node_s_own_database_is_the_default(ovsnet: Ovsnet, switch: Sandbox) -> None:
    assert ovsnet("ovsdb", "get", "--rundir", switch.rundir, "Bridge", "br-int", "name").out == "br-int\n"


def test_leader_of_what_is_no_cluster(db: Ovsnet) -> None:
    assert db("get", "--leader-only", "Bridge", "br-int", "name").out == "br-int\n"
    assert db("get", "--leader-only", "--db", "Nowhere", "T", "x").code == 3


# How values are written.


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("name", "br0", "br0"),
        ("name", '"a,b"', "a,b"),
        ("stp_enable", "true", True),
        ("fail_mode", "secure", "secure"),
        ("fail_mode", "[]", None),
        ("flood_vlans", "[1, 2]", {1, 2}),
        ("flood_vlans", "1,2", {1, 2}),
        ("flood_vlans", "[]", set()),
        ("external_ids", "{a=b, c=d=e}", {"a": "b", "c": "d=e"}),
        ("external_ids", 'a="x, y"', {"a": "x, y"}),
        ("external_ids", "{}", {}),
        ("ports", UUID, {Uuid(UUID)}),
    ],
)
def test_values(column: str, text: str, value: object) -> None:
    assert value_of(BRIDGE.column(column), text) == value


@pytest.mark.parametrize(("column", "text"), [("stp_enable", "yes"), ("flood_vlans", "a"), ("external_ids", "a")])
def test_what_is_no_value(column: str, text: str) -> None:
    with pytest.raises(UsageError):
        value_of(BRIDGE.column(column), text)


def test_conditions() -> None:
    assert condition_of(BRIDGE, "name=br0") == ("name", "==", "br0")
    assert condition_of(BRIDGE, "flood_vlans~=1") == ("flood_vlans", "includes", {1})
    assert condition_of(BRIDGE, "external_ids:a=b") == ("external_ids", "includes", {"a": "b"})
    assert condition_of(BRIDGE, "external_ids:a!=b") == ("external_ids", "excludes", {"a": "b"})
    for wrong in ("name", "name:a=b", "external_ids:a<b"):
        with pytest.raises(UsageError):
            condition_of(BRIDGE, wrong)


def test_settings() -> None:
    assert setting_of(BRIDGE, "other_config:a=b=c") == ("other_config:a", "b=c")
    assert setting_of(BRIDGE, "name=") == ("name", "")
    for wrong in ("name", "name:a=b"):
        with pytest.raises(UsageError):
            setting_of(BRIDGE, wrong)


def test_values_are_shown() -> None:
    assert atom_of("real", "1.5") == 1.5
    values = (True, None, {"b": 1, "a": False}, frozenset({2, 1}), "x\n", 1.5)
    assert [shown(each) for each in values] == ["true", "[]", "{a=false, b=1}", "[1, 2]", "x\\u000a", "1.5"]
    assert plain({"b": frozenset({2, 1}), "a": Uuid(UUID)}) == {"a": UUID, "b": [1, 2]}

"""What a chassis monitors, before and after it knows its datapaths."""

from __future__ import annotations

from typing import Any

import msgspec

from ovsnet.bench.storm.subscription import subscribe

TABLES = {
    "SB_Global": ["external_ids", "nb_cfg"],
    "Logical_Flow": ["external_ids", "logical_datapath", "logical_dp_group", "match"],
    "Port_Binding": ["datapath", "logical_port", "type"],
    "FDB": ["mac"],
    "Chassis": ["name"],
}
DATAPATH = "11111111-2222-3333-4444-555555555555"


def decoded(raw: msgspec.Raw) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = msgspec.json.decode(raw)
    return tables


def test_no_flows_are_asked_for_before_a_datapath_is_known() -> None:
    first = decoded(subscribe(TABLES, DATAPATH).first)
    assert first["Logical_Flow"][0]["where"] == [False]
    assert ["type", "==", "patch"] in first["Port_Binding"][0]["where"]
    assert "where" not in first["Chassis"][0]


def test_change_holds_what_differs_and_again_holds_all() -> None:
    subscription = subscribe(TABLES, DATAPATH)
    change, again = decoded(subscription.change), decoded(subscription.again)
    assert set(change) == {"Logical_Flow", "Port_Binding"}
    wanted = ["logical_datapath", "==", ["uuid", DATAPATH]]
    assert wanted in change["Logical_Flow"][0]["where"]
    assert ["logical_dp_group", "!=", ["set", []]] in change["Logical_Flow"][0]["where"]
    assert set(again) == set(TABLES)
    assert again["Logical_Flow"][0]["where"] == change["Logical_Flow"][0]["where"]


def test_columns_that_ovn_controller_does_not_read_are_left_out() -> None:
    first = decoded(subscribe(TABLES, DATAPATH).first)
    assert first["SB_Global"][0]["columns"] == ["nb_cfg"]
    assert "external_ids" not in first["Logical_Flow"][0]["columns"]


def test_everything_has_no_conditions() -> None:
    subscription = subscribe(TABLES, DATAPATH, monitor_all=True)
    assert not any("where" in request for (request,) in decoded(subscription.again).values())
    assert decoded(subscription.change) == {}

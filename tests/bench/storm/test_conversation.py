"""What a chassis says to a server, and what it makes of the answers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ovsnet.bench.storm.conversation import NOTHING_YET, ChassisEvent, Conversation, Subscription
from ovsnet.errors import ProtocolError

FIRST, CHANGE, AGAIN = (msgspec.Raw(b'{"%s":[]}' % name) for name in (b"First", b"Change", b"Again"))
SEEN = "11111111-2222-3333-4444-555555555555"
LATER = "66666666-7777-8888-9999-000000000000"
ROW = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


class Server:
    """Reads what the conversation sends, and answers."""

    def __init__(self, conversation: Conversation) -> None:
        self.conversation = conversation

    def asked(self) -> list[dict[str, Any]]:
        sent = self.conversation.data_to_send()
        return msgspec.json.decode(b"[" + sent.replace(b"}{", b"},{") + b"]") if sent else []

    def answers(self, call: dict[str, Any], result: object) -> list[ChassisEvent]:
        return self.says({"id": call["id"], "result": result, "error": None})

    def says(self, message: object) -> list[ChassisEvent]:
        return self.conversation.receive_data(msgspec.json.encode(message))

    def notifies(self, method: str, params: object) -> list[ChassisEvent]:
        return self.says({"id": None, "method": method, "params": params})


def begun(*, since: str = NOTHING_YET, register: int | None = None) -> Server:
    return Server(Conversation(Subscription(FIRST, CHANGE, AGAIN), since, register=register))


def database(**columns: object) -> dict[str, Any]:
    row = {"name": "OVN_Southbound", "model": "standalone", "connected": True, "schema": "{}"} | columns
    return {"Database": {ROW: {"initial": row}}}


def subscribed(server: Server, **columns: object) -> dict[str, Any]:
    """Up to the request for the data."""
    (schema,) = server.asked()
    assert (schema["method"], schema["params"]) == ("get_schema", ["_Server"])
    assert server.answers(schema, {}) == []
    (about,) = server.asked()
    assert about["method"] == "monitor_cond"
    assert server.answers(about, database(**columns)) == []
    data, aware = server.asked()
    assert (data["method"], aware["method"]) == ("monitor_cond_since", "set_db_change_aware")
    server.answers(aware, {})
    return data


def test_first_time_the_datapaths_are_asked_for_once_they_are_known() -> None:
    server = begun()
    data = subscribed(server)
    assert data["params"][2:] == [{"First": []}, NOTHING_YET]
    assert server.answers(data, [False, SEEN, {}]) == []
    (change,) = server.asked()
    assert change["method"] == "monitor_cond_change"
    assert change["params"][2] == {"Change": []}
    assert server.answers(change, {}) == [ChassisEvent.SYNCED]
    assert server.conversation.since == SEEN


def test_one_that_comes_back_names_what_it_saw_last_and_asks_once() -> None:
    server = begun(since=SEEN)
    data = subscribed(server)
    assert data["params"][2:] == [{"Again": []}, SEEN]
    assert server.answers(data, [True, LATER, {}]) == [ChassisEvent.SYNCED]
    assert server.asked() == []
    assert server.conversation.since == LATER


def test_updates_move_what_was_seen_last() -> None:
    server = begun(since=SEEN)
    server.answers(subscribed(server), [True, SEEN, {}])
    assert server.notifies("update3", [["monid", "OVN_Southbound"], LATER, {}]) == []
    assert server.conversation.since == LATER


@pytest.mark.parametrize(
    "columns", [{"model": "clustered", "connected": False}, {"model": "relay", "connected": False}, {"name": "Other"}]
)
def test_server_without_a_useful_copy_turns_a_chassis_away(columns: dict[str, object]) -> None:
    server = begun()
    (schema,) = server.asked()
    server.answers(schema, {})
    (about,) = server.asked()
    assert server.answers(about, database(**columns)) == [ChassisEvent.TURNED_AWAY]
    assert server.asked() == []


def test_server_that_is_cut_off_from_its_cluster_turns_a_chassis_away() -> None:
    server = begun(since=SEEN)
    server.answers(subscribed(server, model="clustered"), [True, SEEN, {}])
    monitor = ["monid", "_Server"]
    assert server.notifies("update2", [monitor, {"Database": {ROW: {"modify": {"index": 7}}}}]) == []
    assert server.notifies("update2", [monitor, {"Database": {ROW: {"modify": {"connected": False}}}}]) == [
        ChassisEvent.TURNED_AWAY
    ]


def test_refusal_turns_away_and_one_of_a_courtesy_does_not() -> None:
    server = begun()
    (schema,) = server.asked()
    server.answers(schema, {})
    (about,) = server.asked()
    server.answers(about, database())
    data, aware = server.asked()
    assert server.says({"id": aware["id"], "result": None, "error": "unknown method"}) == []
    assert server.says({"id": data["id"], "result": None, "error": "no"}) == [ChassisEvent.TURNED_AWAY]


def test_echo_of_the_server_is_answered_and_ours_is_asked() -> None:
    server = begun()
    server.asked()
    assert server.says({"id": "echo", "method": "echo", "params": []}) == []
    assert server.asked() == [{"id": "echo", "result": [], "error": None}]
    server.conversation.probe()
    (echo,) = server.asked()
    assert echo["method"] == "echo"
    assert server.answers(echo, []) == [ChassisEvent.ECHOED]


def test_row_is_written_before_a_chassis_counts_as_synced() -> None:
    server = begun(since=SEEN, register=7)
    assert server.answers(subscribed(server), [True, SEEN, {}]) == []
    (transact,) = server.asked()
    assert transact["method"] == "transact"
    assert [operation["table"] for operation in transact["params"][1:]] == ["Encap", "Chassis"]
    assert transact["params"][2]["row"]["name"] == "storm-7"
    assert server.answers(transact, [{}, {}]) == [ChassisEvent.SYNCED]


@pytest.mark.parametrize(("error", "events"), [("constraint violation", [ChassisEvent.SYNCED]), ("not allowed", None)])
def test_rows_that_are_there_already_were_written_by_a_lost_transaction(
    error: str, events: list[ChassisEvent] | None
) -> None:
    server = begun(since=SEEN, register=7)
    server.answers(subscribed(server), [True, SEEN, {}])
    (transact,) = server.asked()
    results = [{}, {}, {"error": error, "details": "why"}]
    if events is not None:
        assert server.answers(transact, results) == events
        return
    with pytest.raises(ProtocolError, match="refused a Chassis row: not allowed: why"):
        server.answers(transact, results)


def test_nonsense_is_a_protocol_error() -> None:
    server = begun()
    (schema,) = server.asked()
    server.answers(schema, {})
    (about,) = server.asked()
    with pytest.raises(ProtocolError):
        server.answers(about, ["no", "tables"])

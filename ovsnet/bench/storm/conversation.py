"""What ovn-controller says to a southbound server before it holds what it monitors, as a sans-IO protocol.

The order is that of lib/ovsdb-cs.c, ``ovsdb_cs_process_response``:

    get_schema _Server → monitor_cond _Server → monitor_cond_since OVN_Southbound → set_db_change_aware

A chassis on its first connection then learns which datapaths it needs, and asks for those with monitor_cond_change; on
every later one its conditions are known, and what it has seen last is named, so that the server may send the
difference. The server's echo requests are answered by the JSON-RPC core. Nothing is decoded but the envelope, the
server's row about itself, and the id of the last transaction.
"""

from __future__ import annotations

from enum import Enum, auto
from ipaddress import IPv4Address
from typing import Any

import msgspec

from ovsnet.errors import ProtocolError
from ovsnet.protocol import jsonrpc
from ovsnet.protocol.jsonrpc import Body, decode_body

DATABASE = "OVN_Southbound"
NOTHING_YET = "00000000-0000-0000-0000-000000000000"
"""The transaction before the first one (ovsdb-server(7), "Monitor Cond Since")."""

MONITOR_ID = ["monid", DATABASE]
_SERVER_ID = ["monid", "_Server"]
_SERVER_COLUMNS = ["cid", "connected", "index", "leader", "model", "name", "schema", "sid"]


PREFIX = "storm-"
"""Of the names of the rows that chassis write about themselves."""

_FIRST_TUNNEL = IPv4Address("10.128.0.1")


class ChassisEvent(Enum):
    """What a chassis has to know of it."""

    SYNCED = auto()
    TURNED_AWAY = auto()
    """The server's copy is of no use: not joined, or cut off from its cluster."""
    ECHOED = auto()
    """The probe is answered."""


class Subscription(msgspec.Struct, frozen=True):
    """Requests of a monitor as JSON: the ``first``, before a chassis knows its datapaths; the ``change`` when it has
    learned of them; and ``again``, both in one, for a chassis that comes back."""

    first: msgspec.Raw
    change: msgspec.Raw
    again: msgspec.Raw


class _ServerRow(msgspec.Struct):
    """The columns of ``Database`` in ``_Server`` that decide; those that an update leaves out have not changed."""

    name: str | None = None
    model: str | None = None
    connected: bool | None = None


class _RowUpdate(msgspec.Struct):
    """Of the format update2 (ovsdb-server(7), "Update2 Notification")."""

    initial: _ServerRow | None = None
    insert: _ServerRow | None = None
    modify: _ServerRow | None = None


class _ServerTables(msgspec.Struct, rename={"databases": "Database"}):
    databases: dict[str, _RowUpdate] = {}


class _Result(msgspec.Struct):
    """Of one operation of a transaction (RFC 7047 section 5.2)."""

    error: str | None = None
    details: str = ""


_server_reply = msgspec.json.Decoder(_ServerTables)
_server_update = msgspec.json.Decoder(tuple[Any, _ServerTables])
_reply_since = msgspec.json.Decoder(tuple[bool, str, msgspec.Raw])
_update3 = msgspec.json.Decoder(tuple[Any, str, msgspec.Raw])

_results = msgspec.json.Decoder(list[_Result | None])

_ANSWERED_AT_ONCE = ("set_db_change_aware", "echo")


class Conversation:
    """One connection's end of it; a ``Core`` for ``transport.Channel``. ``since`` is the last transaction seen."""

    __slots__ = ("_again", "_asked", "_core", "_register", "_server", "_subscription", "since")

    def __init__(self, subscription: Subscription, since: str, *, register: int | None = None) -> None:
        self.since = since
        self._again = since != NOTHING_YET
        self._subscription = subscription
        self._register = register
        self._server: dict[str, _ServerRow] = {}
        self._core = jsonrpc.Connection()
        self._asked: dict[int, str] = {}
        self._ask("get_schema", ["_Server"])

    def receive_data(self, data: bytes) -> list[ChassisEvent]:
        """Raises ProtocolError."""
        events = [self._heard(event) for event in self._core.receive_data(data)]
        return [event for event in events if event is not None]

    def data_to_send(self) -> bytes:
        """What is queued, once."""
        return self._core.data_to_send()

    def eof_received(self) -> None:
        """A server that is killed ends inside a message as well as between two: that is not an error."""

    def probe(self) -> None:
        """Queue the request that makes the server show a sign of life."""
        self._ask("echo", [])

    def _ask(self, method: str, params: object) -> None:
        self._asked[self._core.request(method, params)] = method

    def _heard(self, event: jsonrpc.Event) -> ChassisEvent | None:
        match event:
            case jsonrpc.Reply():
                return self._answered(self._asked.pop(event.id, ""), event.result)
            case jsonrpc.ErrorReply():
                return None if self._asked.pop(event.id, "") in _ANSWERED_AT_ONCE else ChassisEvent.TURNED_AWAY
            case jsonrpc.Notification():
                return self._notified(event.method, event.params)
            case jsonrpc.Request():
                self._core.refuse(event.id, "unknown method")
        return None

    def _answered(self, method: str, result: Body) -> ChassisEvent | None:
        match method:
            case "get_schema":
                self._ask("monitor_cond", ["_Server", _SERVER_ID, {"Database": [{"columns": _SERVER_COLUMNS}]}])
            case "monitor_cond":
                if useless := self._judged(decode_body(result, _server_reply)):
                    return useless
                self._subscribe()
            case "monitor_cond_since":
                _, self.since, _ = decode_body(result, _reply_since)
                if self._again:
                    return self._complete()
                self._ask("monitor_cond_change", [MONITOR_ID, MONITOR_ID, self._subscription.change])
            case "monitor_cond_change":
                return self._complete()
            case "transact":
                return _written(decode_body(result, _results))
            case "echo":
                return ChassisEvent.ECHOED
        return None

    def _subscribe(self) -> None:
        requests = self._subscription.again if self._again else self._subscription.first
        self._ask("monitor_cond_since", [DATABASE, MONITOR_ID, requests, self.since])
        self._ask("set_db_change_aware", [True])

    def _complete(self) -> ChassisEvent | None:
        if self._register is None:
            return ChassisEvent.SYNCED
        self._ask("transact", [DATABASE, *registration(self._register)])
        return None

    def _notified(self, method: str, params: Body) -> ChassisEvent | None:
        if method == "update3":
            _, self.since, _ = decode_body(params, _update3)
        elif method == "update2":
            return self._judged(decode_body(params, _server_update)[1])
        return ChassisEvent.TURNED_AWAY if method == "monitor_canceled" else None

    def _judged(self, tables: _ServerTables) -> ChassisEvent | None:
        """As ``ovsdb_cs_check_server_db__`` does for a client that does not insist on the leader."""
        for uuid, update in tables.databases.items():
            row = self._server.setdefault(uuid, _ServerRow())
            changed = update.initial or update.insert or update.modify or _ServerRow()
            for column in row.__struct_fields__:
                if (value := getattr(changed, column)) is not None:
                    setattr(row, column, value)
        ours = next((row for row in self._server.values() if row.name == DATABASE), None)
        useless = ours is None or (ours.model != "standalone" and not ours.connected)
        return ChassisEvent.TURNED_AWAY if useless else None


def _written(results: list[_Result | None]) -> ChassisEvent:
    """Rows that are there already come from a transaction of ours whose answer was lost."""
    refused = next((each for each in results if each is not None and each.error is not None), None)
    if refused is not None and refused.error != "constraint violation":
        raise ProtocolError(f"The server refused a Chassis row: {refused.error}: {refused.details}.")
    return ChassisEvent.SYNCED


def registration(number: int) -> list[dict[str, object]]:
    """The rows that ovn-controller writes about itself (controller/chassis.c, ``chassis_run``). No two chassis may have
    the same name, or the same tunnel address."""
    name, ip = f"{PREFIX}{number}", str(_FIRST_TUNNEL + number)
    encap = {"type": "geneve", "ip": ip, "chassis_name": name}
    return [
        {"op": "insert", "table": "Encap", "uuid-name": "encap", "row": encap},
        {"op": "insert", "table": "Chassis", "row": {"name": name, "encaps": ["named-uuid", "encap"]}},
    ]

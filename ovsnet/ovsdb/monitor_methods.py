"""The request that begins a monitor, by the newest method that the server knows."""

from __future__ import annotations

import msgspec

from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.ovsdb.errors import UnknownMethod
from ovsnet.ovsdb.selection import Selection
from ovsnet.protocol.jsonrpc import Body, decode_body, lifted_from, outline_of
from ovsnet.protocol.long_object import Lifted

NO_TXN = "00000000-0000-0000-0000-000000000000"
"""No transaction: the whole snapshot is wanted (ovsdb-server(7), section 4.1.15)."""

_TABLES: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SINCE: msgspec.json.Decoder[tuple[bool, str, dict[str, msgspec.Raw]]] = msgspec.json.Decoder(
    tuple[bool, str, dict[str, msgspec.Raw]]
)


class RawTables(msgspec.Struct, frozen=True):
    """``<table-updates>`` with undecoded rows. In their place may be the name of some that were ``lifted`` out."""

    rows: dict[str, msgspec.Raw]
    lifted: Lifted = {}


class Answer(msgspec.Struct, frozen=True):
    """``tables`` is what changed since the transaction that was named, if the server ``found`` it; else all rows.
    ``txn`` is where the copy is then."""

    method: str
    found: bool
    txn: str
    tables: RawTables


async def begin(
    session: JsonRpcSession, database: str, key: str, selection: Selection, txn: str, *, silence: float, longest: float
) -> Answer:
    """Ask for a monitor under ``key``. Raises UnknownMethod where the server knows none of them."""
    conditional = selection.conditional_request()
    methods: list[tuple[str, list[object]]] = [
        ("monitor_cond_since", [conditional, txn]),
        ("monitor_cond", [conditional]),
        ("monitor", [selection.plain_request()]),
    ]
    for method, request in methods:
        params = [database, key, *request]
        try:
            body = await session.request_patiently(method, params, silence=silence, longest=longest)
        except UnknownMethod as error:
            unknown = error
        else:
            if method == "monitor_cond_since":
                found, txn, rows = decode_body(outline_of(body), _SINCE)
                return Answer(method, found, txn, RawTables(rows, lifted_from(body)))
            return Answer(method, False, NO_TXN, raw_tables(body))
    raise unknown


def raw_tables(body: Body) -> RawTables:
    """What ``<table-updates>`` are, undecoded. Raises ProtocolError."""
    return RawTables(decode_body(outline_of(body), _TABLES), lifted_from(body))

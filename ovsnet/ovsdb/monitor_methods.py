"""The request that begins a monitor, by the newest method that the server knows."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.ovsdb.errors import UnknownMethod
from ovsnet.ovsdb.selection import Selection
from ovsnet.protocol.jsonrpc import decode_body

NO_TXN = "00000000-0000-0000-0000-000000000000"
"""No transaction: the whole snapshot is wanted (ovsdb-server(7), section 4.1.15)."""

RawTables: TypeAlias = dict[str, msgspec.Raw]

TABLES: msgspec.json.Decoder[RawTables] = msgspec.json.Decoder(RawTables)
_SINCE: msgspec.json.Decoder[tuple[bool, str, RawTables]] = msgspec.json.Decoder(tuple[bool, str, RawTables])


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
                return Answer(method, *decode_body(body, _SINCE))
            return Answer(method, False, NO_TXN, decode_body(body, TABLES))
    raise unknown

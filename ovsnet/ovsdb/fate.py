"""What became of a transaction that was sent over a session: its results, why it was refused, or that nobody knows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ovsnet.errors import ConnectionLost, DeadlineExceeded, PeerError, ProtocolError
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.ovsdb.errors import (
    Refused,
    TransactionGarbled,
    TransactionInDoubt,
    TransactionLate,
    TransactionLost,
    ovsdb_error,
)
from ovsnet.ovsdb.operations import Operation
from ovsnet.protocol.jsonrpc import Body, decode_body

READING = frozenset({"select", "comment"})
"""Operations of which a transaction that has no others changes nothing, however often it is done. A comment is written
only beside a change (ovsdb/transaction.c, ``ovsdb_txn_precommit``)."""

_RESULTS: msgspec.json.Decoder[list[dict[str, Any] | None]] = msgspec.json.Decoder(list[dict[str, Any] | None])


def only_reads(operations: Iterable[Operation]) -> bool:
    """Whether nothing is in doubt, whatever happens to them."""
    return all(each.get("op") in READING for each in operations)


def is_end_of(session: JsonRpcSession, error: PeerError) -> bool:
    """Whether a call failed because its session ended, for whatever reason: a refusal may be no answer."""
    return session.closed.done() and session.closed.result() is error


async def transacted(
    session: JsonRpcSession, database: str, operations: Sequence[Operation], timeout: float
) -> list[dict[str, Any]]:
    """Send them now, and give their results. ``ready`` comes first: what fails before is not in doubt."""
    try:
        return _results(session, await _answer(session, database, operations, timeout), operations)
    except PeerError as error:
        unknown = is_end_of(session, error) or isinstance(error, DeadlineExceeded | ProtocolError)
        if not unknown or only_reads(operations):
            raise
        kind = _in_doubt(error)
        raise kind(f"Nobody knows whether the transaction on {database} was done. {error}") from error


async def _answer(session: JsonRpcSession, database: str, operations: Sequence[Operation], timeout: float) -> Body:
    number, answer = session.ask("transact", (database, *operations), timeout)
    try:
        return await answer
    except (asyncio.CancelledError, DeadlineExceeded):
        session.notify("cancel", (number,))  # RFC 7047 section 4.1.4; ovsdb-server 3.1 forgets it without a word
        raise


def _results(session: JsonRpcSession, body: Body, operations: Sequence[Operation]) -> list[dict[str, Any]]:
    try:
        results = decode_body(body, _RESULTS)
    except ProtocolError as error:
        raise ProtocolError(f"{session.address}: {error}", remedy=error.remedy) from error
    for index, result in enumerate(results):
        if result is not None and "error" in result:
            raise _refusal(session, result, index, operations)
    if len(results) != len(operations):
        raise ProtocolError(f"{session.address} gave {len(results)} results for {len(operations)} operations.")
    return [result or {} for result in results]


def _refusal(
    session: JsonRpcSession, error: Mapping[str, object], index: int, operations: Sequence[Operation]
) -> Refused:
    if index >= len(operations):
        return ovsdb_error(error, peer=str(session.address), subject="the commit")
    subject = f"operation {index} ({operations[index].get('op')})"
    return ovsdb_error(error, peer=str(session.address), operation=index, subject=subject)


def _in_doubt(error: PeerError) -> type[TransactionInDoubt]:
    """It is also of the kind of what happened."""
    match error:
        case DeadlineExceeded():
            return TransactionLate
        case ConnectionLost():
            return TransactionLost
        case ProtocolError():
            return TransactionGarbled
    return TransactionInDoubt

"""Apply a large update without one long stall.

A southbound database begins with tens of megabytes. Decoding them in one go holds the loop for a second, and the cyclic
collector makes that several; so rows stay undecoded and are taken in batches, with the collector paused in each and the
loop free between them. Even to tell the rows of one table apart takes 60 ms for 100 000; the protocol has cut them
into pieces as they came (``ovsnet.protocol.long_object``), and one is looked into at a time.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from ovsnet.errors import ProtocolError, ProtocolFlood
from ovsnet.ovsdb.monitor_methods import RawTables
from ovsnet.ovsdb.replica import Change, Replica, Tables, batches, changes_between
from ovsnet.ovsdb.values import Uuid
from ovsnet.protocol.jsonrpc import BAD_JSON, Body, decode_body, size_of
from ovsnet.protocol.long_object import Lifted

BATCH = 500
"""Rows. About 5 ms of our loop with the widest rows of OVN_Southbound."""

MANY = 50
"""Rows, with which a message may have come in pieces of 64 kB."""

SMALL_UPDATE = 256 << 10
"""Bytes. Up to here an update is applied at once: 2-4 ms."""

_ROWS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROW: msgspec.json.Decoder[dict[str, dict[str, Any] | None]] = msgspec.json.Decoder(dict[str, dict[str, Any] | None])


def is_small(updates: Body) -> bool:
    """Whether an update is applied at once."""
    return size_of(updates) <= SMALL_UPDATE


async def load(replica: Replica, tables: RawTables, most_row: int | None = None, known: Replica | None = None) -> None:
    """Fill an empty copy with ``<table-updates>`` whose tables are undecoded. Raises ProtocolError, and ProtocolFlood
    for a row of more than ``most_row`` bytes.

    The two copies share each row that is the same in ``known``: two of everything are never in memory, and not all of
    the old one is freed in one go. Not after a conversion: the integer 1 equals the real 1.0.
    """
    shared = known.tables if known is not None and known.columns == replica.columns else {}
    async for table, batch in _rows_of(tables, most_row):
        rows = shared.get(table, {})
        with collector_paused(len(batch)):
            for text, row in batch:
                uuid = Uuid(text)
                replica.fill(table, uuid, _update_of(table, text, row), rows.get(uuid))


async def changes_in(replica: Replica, tables: RawTables, most_row: int | None = None) -> list[Change]:
    """What such updates would change in a copy, which stays as it is. Raises as ``load`` does."""
    changes: list[Change] = []
    async for table, batch in _rows_of(tables, most_row):
        with collector_paused(len(batch)):
            for uuid, row in batch:
                change = replica.change(table, Uuid(uuid), _update_of(table, uuid, row))
                if change is not None:
                    changes.append(change)
    return changes


async def difference(old: Tables, new: Tables) -> list[Change]:
    """All of ``changes_between``, with the loop free between its steps."""
    changes: list[Change] = []
    for step in changes_between(old, new, 10 * BATCH):
        changes += step
        await asyncio.sleep(0)
    return changes


async def _rows_of(tables: RawTables, most_row: int | None) -> AsyncIterator[tuple[str, list[tuple[str, msgspec.Raw]]]]:
    for table, body in tables.rows.items():
        async for rows in _pieces_of(body, tables.lifted):
            for batch in batches(rows.items(), BATCH):
                await asyncio.sleep(0)
                if most_row is not None:
                    _refuse_large(table, batch, most_row)
                yield table, batch


async def _pieces_of(body: msgspec.Raw, lifted: Lifted) -> AsyncIterator[dict[str, msgspec.Raw]]:
    """The rows of one table: those that are in ``body``, and then those that were lifted out of it."""
    await asyncio.sleep(0)
    rows = decode_body(body, _ROWS)
    runs = [lifted[name] for name in rows.keys() & lifted.keys()]
    yield {uuid: row for uuid, row in rows.items() if uuid not in lifted} if runs else rows
    for run in runs:
        for piece in run.pieces():
            await asyncio.sleep(0)
            yield decode_body(msgspec.Raw(piece), _ROWS)


def _refuse_large(table: str, batch: Iterable[tuple[str, msgspec.Raw]], most_row: int) -> None:
    """Before they are decoded, which takes ten times their bytes, and the loop for as long as a row takes."""
    for uuid, row in batch:
        if (size := memoryview(row).nbytes) > most_row:
            raise ProtocolFlood(
                f"Row {uuid} of {table} has {size / (1 << 20):.1f} MiB. Rows of up to {most_row / (1 << 20):g} MiB are"
                " read.",
                remedy=f"Remove from that row of {table} what fills it.",
            )


def _update_of(table: str, uuid: str, row: msgspec.Raw) -> dict[str, dict[str, Any] | None]:
    try:
        return _ROW.decode(row)
    except BAD_JSON as error:
        raise ProtocolError(f"The server sent no update of row {uuid} in {table}: {error}.") from error


@contextmanager
def collector_paused(rows: int) -> Iterator[None]:
    """And what is made of ``rows`` meanwhile counts as old, if they are many. Rows have no cycles; as young ones they
    would all be walked once more, and bring about collections of everything, each of which walks the whole copy."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            if rows >= MANY and not gc.get_freeze_count():  # what the user has frozen stays so
                gc.freeze()
                gc.unfreeze()  # into the oldest generation
            gc.enable()

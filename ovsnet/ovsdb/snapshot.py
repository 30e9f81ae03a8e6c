"""Apply a large update without one long stall.

A southbound database begins with tens of megabytes. Decoding them in one go holds the loop for a second, and the cyclic
collector makes that several; so rows stay undecoded and are taken in batches, with the collector paused in each and the
loop free between them.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

import msgspec

from ovsnet.errors import ProtocolError
from ovsnet.ovsdb.replica import Replica
from ovsnet.ovsdb.values import Uuid
from ovsnet.protocol.jsonrpc import BAD_JSON, decode_body

Item = TypeVar("Item")

BATCH = 500
"""Rows. About 5 ms of our loop with the widest rows of OVN_Southbound."""

_ROWS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ROW: msgspec.json.Decoder[dict[str, dict[str, Any] | None]] = msgspec.json.Decoder(dict[str, dict[str, Any] | None])


async def load(replica: Replica, tables: Mapping[str, msgspec.Raw]) -> None:
    """Apply ``<table-updates>`` whose tables are undecoded. Raises ProtocolError."""
    for table, body in tables.items():
        await asyncio.sleep(0)
        rows = decode_body(body, _ROWS)
        for batch in batches(rows.items(), BATCH):
            await asyncio.sleep(0)
            _apply(replica, table, batch)


def batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """``items`` in lists of at most ``size``."""
    remaining = iter(items)
    while batch := list(islice(remaining, size)):
        yield batch


def _apply(replica: Replica, table: str, batch: Iterable[tuple[str, msgspec.Raw]]) -> None:
    with _collector_paused():
        for uuid, row in batch:
            try:
                update = _ROW.decode(row)
            except BAD_JSON as error:
                raise ProtocolError(f"The server sent no update of row {uuid} in {table}: {error}.") from error
            replica.apply(table, Uuid(uuid), update)


@contextmanager
def _collector_paused() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

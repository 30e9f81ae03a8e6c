"""What a callback may raise: a mistake of its own, what an index or a question raised, and what a future held."""

from __future__ import annotations

import asyncio

from ovsnet.errors import ConnectionLost, ProtocolError
from ovsnet.ovsdb.errors import NoSuchRow

WHAT_CALLBACKS_RAISE = (
    ValueError("no"),
    NoSuchRow("no"),
    ConnectionLost("no"),
    ProtocolError("no"),
    asyncio.CancelledError("no"),
)

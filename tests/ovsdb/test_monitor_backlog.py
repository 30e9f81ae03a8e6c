"""Updates that wait while a large one is prepared are bounded."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from ovsnet.errors import ProtocolFlood
from ovsnet.io.jsonrpc_session import JsonRpcSession
from ovsnet.ovsdb.monitor import MOST_BACKLOG, Monitor
from tests.ovsdb.test_rows import real_schema


async def test_server_that_changes_faster_than_its_changes_can_be_taken_is_given_up() -> None:
    """The first snapshot is not there yet, so nothing can be applied."""
    schema = real_schema("vswitch.ovsschema")
    monitor = Monitor(cast("JsonRpcSession", None), "key", schema, {"Open_vSwitch": ["external_ids"]})
    update = msgspec.Raw(b" " * (MOST_BACKLOG - 1))
    monitor.on_update("", update)
    with pytest.raises(ProtocolFlood, match="faster than a copy"):
        monitor.on_update("", update)

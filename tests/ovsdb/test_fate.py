"""What a session says of a transaction of which nobody knows whether it was done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ovsnet.errors import ConnectionLost, DeadlineExceeded, PeerError, ProtocolError
from ovsnet.ovsdb import Client, connect
from ovsnet.ovsdb.errors import TransactionInDoubt
from ovsnet.ovsdb.operations import insert, select
from tests.ovsdb.proxy import proxied
from tests.ovsdb.scripted import scripted
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from tests.ovsdb.conftest import Server

OVS = "Open_vSwitch"


async def test_no_answer_in_time(server: Server) -> None:
    async with connect(server.address) as session:
        await server.freeze()
        with pytest.raises(TransactionInDoubt, match="Nobody knows") as caught:
            await session.transact(OVS, insert(OVS, {}), timeout=0.05)
        assert isinstance(caught.value, DeadlineExceeded)
        assert caught.value.reason == TransactionInDoubt.reason
        assert caught.value.remedy == TransactionInDoubt.default_remedy
        with pytest.raises(DeadlineExceeded) as asked:
            await session.transact(OVS, select(OVS), timeout=0.05)
        assert not isinstance(asked.value, TransactionInDoubt), "what only reads is a question"
        await server.thaw()


async def test_connection_that_ended_before_the_answer(server: Server) -> None:
    async with proxied(server.path + ".p", server.path) as proxy, connect(proxy.address) as session:
        proxy.cut_at(b'"count"')
        with pytest.raises(TransactionInDoubt, match="Nobody knows") as caught:
            await session.transact(OVS, {"op": "mutate", "table": OVS, "where": [], "mutations": []}, timeout=PATIENCE)
        assert isinstance(caught.value, ConnectionLost)
        with pytest.raises(ConnectionLost) as unsent:
            await session.transact(OVS, insert(OVS, {}), timeout=PATIENCE)
        assert not isinstance(unsent.value, TransactionInDoubt), "nothing was sent"


async def test_answer_that_is_none() -> None:
    async with scripted(transact=lambda params: {}) as (_, address), connect(address) as session:
        with pytest.raises(TransactionInDoubt) as caught:
            await session.transact("D", insert("T", {}), timeout=PATIENCE)
        assert isinstance(caught.value, ProtocolError)


async def test_error_of_a_client_is_of_no_other_kind(server: Server) -> None:
    """A DeadlineExceeded or a ConnectionLost of a client means that nothing was sent, and that one may try again."""
    async with Client(server.address, probe=None) as client:
        await client.connected(timeout=PATIENCE)
        await server.freeze()
        with pytest.raises(PeerError) as caught:
            await client.transact(OVS, insert(OVS, {}), timeout=0.05)
        assert type(caught.value) is TransactionInDoubt
        assert isinstance(caught.value.__cause__, DeadlineExceeded)
        await server.thaw()

"""A database of several servers is reached as OVN's clients reach it."""

from __future__ import annotations

import random

import pytest

from ovsnet.errors import PeerError
from ovsnet.io.address import Address, parse_remotes
from ovsnet.node import own_chassis
from ovsnet.node.rundir import Rundir
from ovsnet.ovsdb import connect
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.apply import apply
from ovsnet.tune.plan import plan
from ovsnet.tune.sessions import SOUTHBOUND, opened, read_facts
from ovsnet.tune.wanted import wanted
from tests.patience import PATIENCE

SHORT = 0.5
"""Seconds for a server that will not answer: what is waited for comes from the next one, whenever that is."""


class InOrder(random.Random):
    """Tries the remotes as they are given."""

    def shuffle(self, x: object) -> None:
        """Leaves them so."""


async def leader_of(node: Sandbox) -> str:
    """The remote of the server that leads."""
    while True:
        for remote in node.southbound.split(","):
            async with await connect(Address.parse(remote), timeout=PATIENCE) as session:
                (row,) = await session.select(
                    "_Server", "Database", [("name", "==", SOUTHBOUND)], ["leader"], timeout=PATIENCE
                )
                if row["leader"]:
                    return remote


async def test_leader_is_taken_whatever_the_order() -> None:
    async with Sandbox(raft=True) as node:
        await node.wait_ready()
        leader = await leader_of(node)
        for seed in range(6):
            remotes = {SOUTHBOUND: parse_remotes(node.southbound)}
            async with opened(remotes, timeout=PATIENCE, rng=random.Random(seed)) as sessions:
                assert str(sessions[SOUTHBOUND].address) == leader


async def test_server_that_is_stopped_is_passed_over_and_the_write_is_made() -> None:
    async with Sandbox(raft=True) as node:
        await node.wait_ready()
        await node.run("ovn-sbctl", f"--db={node.southbound}", "set-connection", "ptcp:0:127.0.0.1")
        leader = await leader_of(node)
        names = {remote: name for name, remote in node.southbound_servers.items()}
        first = next(remote for remote in names if remote != leader)
        await node.freeze(names[first])
        others = [remote for remote in names if remote != first]
        remotes = {SOUTHBOUND: parse_remotes(",".join((first, *others)))}
        async with opened(remotes, timeout=SHORT, rng=InOrder()) as sessions:
            assert str(sessions[SOUTHBOUND].address) in others
            facts = await read_facts(sessions, timeout=PATIENCE)
            planned = plan(facts, wanted(pairs=["sb-inactivity-probe=30000"]))
            assert await apply(planned, sessions, timeout=PATIENCE) == (SOUTHBOUND,)
        await node.thaw(names[first])


async def test_follower_is_taken_where_the_leader_is_not_among_the_addresses() -> None:
    async with Sandbox(raft=True) as node:
        await node.wait_ready()
        leader = await leader_of(node)
        followers = [remote for remote in node.southbound.split(",") if remote != leader]
        remotes = {SOUTHBOUND: parse_remotes(",".join(followers))}
        async with opened(remotes, timeout=PATIENCE, rng=InOrder()) as sessions:
            assert str(sessions[SOUTHBOUND].address) == followers[0]


async def test_nobody_that_serves_the_database_is_an_error_that_names_each(node: Sandbox) -> None:
    wrong = Address.unix(node.rundir / "db.sock")
    with pytest.raises(PeerError, match="does not serve OVN_Southbound"):
        async with opened({SOUTHBOUND: (wrong, wrong)}, timeout=PATIENCE):
            pass
    await node.freeze("ovn-sb")
    stopped = Address.unix(node.rundir / "ovnsb_db.sock")
    with pytest.raises(PeerError, match="None of 2 servers can be used"):
        async with opened({SOUTHBOUND: (wrong, stopped)}, timeout=SHORT, rng=InOrder()):
            pass


async def test_name_that_the_process_has_counts_and_not_system_id(
    node: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    (override := node.directory / "system-id-override").write_text("by-the-file\n")
    monkeypatch.setattr(own_chassis, "SYSTEM_ID_OVERRIDE", override)
    place = Rundir(node.rundir, node.rundir)
    async with opened({"Open_vSwitch": [Address.unix(node.rundir / "db.sock")]}, timeout=PATIENCE) as sessions:
        assert (await read_facts(sessions, place, timeout=PATIENCE)).system_id == "by-the-file"
        assert (await read_facts(sessions)).system_id == "sandbox"

"""Tuning of a sandbox node, by the same ways as the command line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from ovsnet.io.address import Address
from ovsnet.node.rundir import Rundir
from ovsnet.ovsdb import Session
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.apply import apply
from ovsnet.tune.facts import Facts
from ovsnet.tune.plan import Plan, plan
from ovsnet.tune.record import plan_revert
from ovsnet.tune.sessions import opened, read_facts
from ovsnet.tune.wanted import wanted
from tests.patience import PATIENCE


class Tuner:
    """Facts, plans and writes for one node, over held sessions."""

    def __init__(self, sessions: dict[str, Session], rundir: Rundir) -> None:
        self.sessions = sessions
        self.rundir = rundir

    async def facts(self) -> Facts:
        return await read_facts(self.sessions, self.rundir, timeout=PATIENCE)

    async def plan(self, *pairs: str, force: bool = False, create: dict[str, str] | None = None) -> Plan:
        return plan(await self.facts(), wanted(pairs=pairs, force=force), create=create, force=force)

    async def set(self, *pairs: str, **create: str) -> None:
        """Write, whether or not it does anything here; a row is made for ``some_knob="target"``."""
        targets = {name.replace("_", "-"): target for name, target in create.items()}
        await apply(await self.plan(*pairs, force=True, create=targets), self.sessions, timeout=PATIENCE)

    async def revert(self, *, force: bool = False) -> Plan:
        reverted = plan_revert(await self.facts(), force=force)
        await apply(reverted, self.sessions, timeout=PATIENCE)
        return reverted


Tuning = Callable[[Sandbox], AbstractAsyncContextManager[Tuner]]


@pytest.fixture
def tuning() -> Tuning:
    """``async with tuning(sandbox) as tuner``, with all databases that the node has."""

    @asynccontextmanager
    async def hold(sandbox: Sandbox) -> AsyncIterator[Tuner]:
        rundir = Rundir(sandbox.rundir, sandbox.rundir)
        remotes = {"Open_vSwitch": (rundir.database,)}
        if "ovn-northd" in sandbox.daemons:
            remotes["OVN_Northbound"] = (Address.unix(sandbox.rundir / "ovnnb_db.sock"),)
            remotes["OVN_Southbound"] = (Address.unix(sandbox.rundir / "ovnsb_db.sock"),)
        async with opened(remotes, timeout=PATIENCE) as sessions:
            yield Tuner(sessions, rundir)

    return hold

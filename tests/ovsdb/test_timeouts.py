"""Every call ends: a timeout that is none is refused, and nothing has been done then."""

from __future__ import annotations

import inspect
import math
from contextlib import asynccontextmanager
from inspect import Parameter
from typing import TYPE_CHECKING, Any

import pytest

from ovsnet import ovsdb
from ovsnet.errors import DeadlineExceeded, UsageError
from ovsnet.ovsdb import operations
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.ovsdb.conftest import Server

OVS = "Open_vSwitch"
TIMES = {"timeout", "longest", "silence"}
WRONG = (None, math.inf, math.nan, "1")

GIVEN: dict[str, object] = {
    "method": "echo",
    "params": (),
    "database": OVS,
    "table": OVS,
    "record": None,
    "rows": [],
    "values": [],
    "columns": ["next_cfg"],
    "tables": {OVS: None},
    "where": {},
    "fact": lambda tables: True,
    "state": "up",
    "since": None,
    "name": "a_lock",
}
"""What the calls need besides."""


def timed(owner: type) -> list[tuple[type, str, str]]:
    """The public calls of a class that take a time, and which: those that must have one."""
    return [
        (owner, name, parameter.name)
        for name, call in inspect.getmembers(owner, inspect.isfunction)
        if name[0] != "_" or name == "__init__"
        for parameter in inspect.signature(call).parameters.values()
        if parameter.name in TIMES and parameter.default is not None
    ]


CLASSES = [found for name in ovsdb.__all__ if inspect.isclass(found := getattr(ovsdb, name))]
METHODS = [each for owner in CLASSES for each in timed(owner) if each[1] != "__init__"]
MADE = [each for owner in CLASSES for each in timed(owner) if each[1] == "__init__"]


def arguments(call: Any) -> tuple[list[object], dict[str, object]]:
    """For all that it requires, but for a time."""
    positional, named = [], {}
    for parameter in inspect.signature(call).parameters.values():
        if parameter.default is not Parameter.empty or parameter.name in ("self", *TIMES):
            continue
        if parameter.kind is Parameter.KEYWORD_ONLY:
            named[parameter.name] = GIVEN[parameter.name]
        elif parameter.kind is not Parameter.VAR_POSITIONAL:
            positional.append(GIVEN[parameter.name])
    return positional, named


def times(call: Any, time: str, wrong: object) -> dict[str, object]:
    """The one that is wrong, and those beside it."""
    return dict.fromkeys(TIMES & set(inspect.signature(call).parameters), PATIENCE) | {time: wrong}


async def asked(answer: object) -> None:
    """What some calls give is only asked for when it is awaited."""
    if inspect.isawaitable(answer):
        await answer


@asynccontextmanager
async def made(owner: type, server: Server) -> AsyncIterator[Any]:
    """One of the class, which works."""
    async with ovsdb.connect(server.address) as session, ovsdb.Client(server.address) as client:
        await client.connected(timeout=PATIENCE)
        match owner:
            case ovsdb.Session:
                yield session
            case ovsdb.Client:
                yield client
            case ovsdb.Database | ovsdb.SessionDatabase:
                yield session[OVS]
            case ovsdb.LiveDatabase:
                yield client[OVS]
            case ovsdb.Monitor:
                async with session.monitor(OVS, {OVS: None}) as monitor:
                    yield monitor
                    assert monitor.synced
            case ovsdb.LastingMonitor:
                async with client.monitor(OVS, {OVS: None}) as lasting:
                    yield lasting
                    assert lasting.synced
            case ovsdb.Lock:
                async with session.lock("a_lock") as lock:
                    yield lock
                    assert lock.held
            case ovsdb.Transaction:
                async with session[OVS].transaction() as t:
                    yield t
        assert await session.echo(timeout=PATIENCE) >= 0


@pytest.mark.parametrize("owner", sorted({owner for owner, _, _ in METHODS}, key=str))
async def test_is_refused_by_every_call(server: Server, owner: type) -> None:
    async with made(owner, server) as one:
        for name, time in [(name, time) for each, name, time in METHODS if each is owner]:
            call = getattr(one, name)
            positional, named = arguments(call)
            for wrong in WRONG:
                with pytest.raises(UsageError, match=r"not a timeout|No wait operation"):
                    await asked(call(*positional, **named, **times(call, time, wrong)))


@pytest.mark.parametrize(("owner", "name", "time"), MADE)
async def test_is_refused_when_a_thing_is_made(server: Server, owner: Any, name: str, time: str) -> None:
    over = ovsdb.Client(server.address)
    required = {"Client": (server.address,), "LastingMonitor": (over, OVS, {OVS: None})}
    with pytest.raises(UsageError, match="not a timeout"):
        owner(*required.get(owner.__name__, (over, OVS)), **times(owner, time, None))


async def test_is_refused_by_functions(server: Server) -> None:
    with pytest.raises(UsageError, match="not a timeout"):
        ovsdb.connect(server.address, timeout=None)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="No wait operation takes None"):
        operations.wait(OVS, [{}], columns=[], timeout=None)  # type: ignore[arg-type]


def test_classes_were_found() -> None:
    """None of those that have calls is missed."""
    assert {"Session", "Client", "Monitor", "LastingMonitor", "Lock", "LiveDatabase", "SessionDatabase"} <= {
        owner.__name__ for owner, _, _ in METHODS
    }


async def test_is_of_the_database_when_none_is_given(server: Server) -> None:
    """It has one, so None is no call without an end there."""
    async with ovsdb.connect(server.address) as session:
        assert await session[OVS].transact(timeout=None) == []
        async with session[OVS].transaction(timeout=None):
            pass


async def test_that_is_over_already_is_late(server: Server) -> None:
    """What is left of one's own deadline may be less than nothing."""
    async with ovsdb.Client(server.address) as client:
        with pytest.raises(DeadlineExceeded):
            await client.until("closed", timeout=-1.0)

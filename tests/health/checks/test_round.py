"""Several checks at once."""

from __future__ import annotations

import asyncio
import re
from types import SimpleNamespace
from typing import cast

import pytest

from ovsnet.errors import UsageError
from ovsnet.health.checks.declaration import Check
from ovsnet.health.checks.result import Answer, Status, ok
from ovsnet.health.checks.round import ask_all, with_needs
from ovsnet.node.components import Socket
from ovsnet.node.node import Node
from tests.patience import PATIENCE


def names(*wanted: str) -> list[str]:
    return [check.name for check in with_needs(wanted)]


def test_named_checks_bring_those_they_build_on_in_order_of_declaration() -> None:
    assert names("ovsdb.echo") == ["ovsdb.echo"]
    assert names("openflow.echo", "ovsdb.echo") == ["ovsdb.echo", "vswitchd.ofproto", "openflow.echo"]
    assert names("openflow.flows")[-1] == "openflow.flows"
    assert names() == []


def test_unknown_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="no check 'ovsdb'") as caught:
        names("ovsdb")
    assert {"ovsdb.echo", "ovsdb.accept"} <= set(re.findall(r"[a-z.]+[a-z]", caught.value.remedy))


async def test_independent_checks_are_asked_at_once_and_a_need_before_its_dependant() -> None:
    both_asked = asyncio.Barrier(2)
    told: list[str] = []

    def check(name: str, *needs: str, at_once: bool) -> Check:
        async def probe(node: Node) -> Answer:
            if at_once:
                await both_asked.wait()
            told.append(name)
            return ok("")

        return Check(name, "", probe, "d", Socket.NONE, needs, 1.0, 0.0)

    checks = [check("a", at_once=True), check("c", "a", "b", at_once=False), check("b", at_once=True)]
    daemon = SimpleNamespace(asked=lambda: None, answered=lambda: None)
    node = cast(
        "Node", SimpleNamespace(daemons={"d": daemon}, clock=lambda: 1.0, settings=SimpleNamespace(switch="on"))
    )
    async with asyncio.timeout(PATIENCE):
        results = await ask_all(checks, node)
    assert list(results) == ["a", "c", "b"]
    assert {result.status for result in results.values()} == {Status.OK}
    assert told[-1] == "c"

"""How a check is declared.

    @check("openflow.echo", daemon="ovs-vswitchd", socket=Socket.MGMT, needs=("vswitchd.ofproto",))
    async def echo(node: Node) -> Answer:
        \"\"\"The bridge answers an OpenFlow ECHO_REQUEST.\"\"\"
        ...

That is all there is to adding one. Its schedule, metric, endpoint, row on the page and row in the README follow. A
check asks through the clients and lets their errors pass; ``asking.run`` makes Results of them.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import msgspec

from ovsnet.health.checks.result import (
    Answer,
)
from ovsnet.node.components import Socket
from ovsnet.node.node import Node

log = logging.getLogger("ovsnet")

Probe = Callable[[Node], Awaitable[Answer]]


class Check(msgspec.Struct, frozen=True):
    """One declared question. ``every`` counts the settings' ``interval``; ``phase`` is the part of it to start later
    by."""

    name: str
    question: str
    probe: Probe
    daemon: str
    socket: Socket
    needs: tuple[str, ...]
    every: float
    phase: float

    @property
    def component(self) -> str:
        """What the check is about: the part before the dot."""
        return self.name.partition(".")[0]


CHECKS: dict[str, Check] = {}
"""All checks by name, in order of declaration; a check comes after those it needs."""


def check(
    name: str,
    *,
    daemon: str,
    socket: Socket = Socket.NONE,
    needs: tuple[str, ...] = (),
    every: float = 1.0,
    phase: float = 0.0,
    question: str = "",
) -> Callable[[Probe], Probe]:
    """Declare a check. The first line of the function's docstring is its question, stated as the fact that should
    hold; where one function serves several checks, ``question`` says it for each."""

    def declare(probe: Probe) -> Probe:
        assert name not in CHECKS
        assert all(need in CHECKS for need in needs)
        asked = question or (probe.__doc__ or "").strip().partition("\n")[0]
        CHECKS[name] = Check(name, asked, probe, daemon, socket, needs, every, phase)
        return probe

    return declare

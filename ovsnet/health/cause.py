"""One row of the table of causes, and what it matches."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from enum import IntEnum
from string import Formatter

import msgspec

from ovsnet.health.checks.result import Result, Status
from ovsnet.health.commands import command_in
from ovsnet.node.components import Socket


class State(IntEnum):
    """How the node is, from best to worst."""

    READY = 0
    DEGRADED = 1
    STARTING = 2
    NOT_READY = 3

    @property
    def label(self) -> str:
        """As in the JSON documents."""
        return self.name.lower().replace("_", "-")

    @property
    def serves(self) -> bool:
        """Whether ``/readyz`` says 200."""
        return self in (State.READY, State.DEGRADED)


class Cause(msgspec.Struct, frozen=True, kw_only=True):
    """One row. It matches a result whose reason is one of ``reasons``, or any SLOW one with ``slow``; with ``daemon``
    and ``socket`` only results of checks that ask this daemon over this kind of socket.

    ``brief``: a restart shows it for a moment in which nothing suffers, so ``/readyz`` waits for ``fall``.
    ``in_start``: seen while a start is within its allowance, it only means that the start is not over.
    ``dead``: seen for longer than ``dead_after``, it makes ``/ovs/livez`` fail.
    ``lasting``: time alone does not end it, so ``ovsnet wait`` gives up.
    ``flows_stay``: traffic goes on by the flows that are installed, where there are any.
    ``exit_code``: that of ``ovsnet check`` for a node that is not ready for this.
    ``blind``: it keeps ovsnet from asking, so ``ovsnet check`` ends with ``exit_code`` whatever the node's state.
    """

    code: str
    state: State
    summary: str
    remedies: tuple[str, ...]
    reasons: frozenset[str] = frozenset()
    daemon: str = ""
    socket: Socket | None = None
    slow: bool = False
    in_start: bool = False
    brief: bool = False
    dead: bool = False
    exit_code: int = 1
    blind: bool = False
    lasting: bool = False
    flows_stay: bool = False

    @property
    def remedy(self) -> str:
        """What helps when nothing but the code is known."""
        return self.remedies[-1]

    def remedy_for(self, facts: Mapping[str, str]) -> str:
        """The most specific remedy that ``facts`` can fill in."""
        return self._remedy_for(facts).format_map(facts)

    def command_for(self, facts: Mapping[str, str]) -> str:
        """The command in that remedy; empty when it has none that can be run as it is."""
        return command_in(self._remedy_for(facts), facts)

    def _remedy_for(self, facts: Mapping[str, str]) -> str:
        return next(remedy for remedy in self.remedies if _fields(remedy) <= facts.keys())

    def explains(self, result: Result) -> bool:
        """Whether ``result`` shows this cause."""
        if self.daemon not in ("", result.daemon) or self.socket not in (None, result.socket):
            return False
        return result.reason in self.reasons or (self.slow and result.status is Status.SLOW)


@functools.cache
def _fields(template: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name)


ABSENT = frozenset({"socket-missing", "refused"})
"""Reasons that are facts about the name of a socket."""

UNANSWERED = frozenset({"timeout", "backlog-full"})
"""Reasons of a question that got no answer, which are not a verdict on a process."""

UNPROVEN = frozenset({"closed", "unreachable", "name-unresolved", "tls", "protocol", "timeout", "backlog-full"})
"""Reasons that may pass by themselves."""

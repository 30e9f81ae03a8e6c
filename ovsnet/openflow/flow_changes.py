"""What a flow monitor gives its reader, and how one that goes on in another connection says only what is new."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, overload

from ovsnet.protocol.openflow import Flow, FlowChange

_Rule: TypeAlias = tuple[int, int, bytes]
"""Table, priority and match: no two flows of a bridge have the same."""


class FlowChanges(Sequence[FlowChange]):
    """The changes of flows that the switch put into one message; perhaps none.

    ``complete`` says whether all of them together are the flows of the bridge: not until the last of those that were
    there at the beginning, not while the switch leaves changes out because too many wait to be sent (``removed`` ones
    still come, the others when it goes on), and not while a client is without a connection.

    ``abbreviated`` has the xids of this connection's own requests that changed flows. Nothing here makes such a
    request.
    """

    __slots__ = ("_changes", "abbreviated", "complete")

    def __init__(self, changes: Sequence[FlowChange], *, complete: bool, abbreviated: tuple[int, ...] = ()) -> None:
        self._changes = changes
        self.complete = complete
        self.abbreviated = abbreviated

    @overload
    def __getitem__(self, index: int) -> FlowChange: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[FlowChange]: ...
    def __getitem__(self, index: int | slice) -> FlowChange | Sequence[FlowChange]:
        return self._changes[index]

    def __len__(self) -> int:
        return len(self._changes)

    def __repr__(self) -> str:
        return f"<{len(self)} changes of flows, {'complete' if self.complete else 'incomplete'}>"


class FlowPicture:
    """The flows that one reader knows of, whatever became of the connections in between.

    A new connection begins with all flows again. Of those the reader hears only the difference, and at their end which
    of its flows are gone. Pure.
    """

    def __init__(self) -> None:
        self.begun = False
        """Whether the reader has heard of all flows once."""
        self._flows: dict[_Rule, Flow] = {}
        self._doubtful: dict[_Rule, None] = {}
        """Those of an earlier connection that this one has not confirmed yet."""
        self._version = 0

    def connected(self, version: int) -> FlowChanges:
        """A monitor begins. Another version of OpenFlow writes the same match in another way, so that nothing of the
        old ones can be found again: then all are gone, and come again."""
        gone = list(self._flows) if version != self._version else []
        self._version = version
        self._doubtful = dict.fromkeys(self._flows)
        return FlowChanges([self._removed(rule) for rule in gone], complete=False)

    def changed(self, changes: FlowChanges) -> FlowChanges:
        """What is new to the reader in what the switch said."""
        found = [news for change in changes if (news := self._news(change)) is not None]
        if changes.complete:
            found += [self._removed(rule) for rule in tuple(self._doubtful)]
            self.begun = True
        return FlowChanges(found, complete=changes.complete, abbreviated=changes.abbreviated)

    def _news(self, change: FlowChange) -> FlowChange | None:
        flow = change.flow
        rule = flow.table_id, flow.priority, flow.raw_match
        self._doubtful.pop(rule, None)
        before = self._flows.pop(rule, None)
        if change.change == "removed":
            return change
        self._flows[rule] = flow
        if change.change == "added" and before is not None:
            return FlowChange("modified", flow)
        if change.change != "initial":
            return change
        if before is not None:
            return None if flow == before else FlowChange("modified", flow)
        return FlowChange("added", flow) if self.begun else change

    def _removed(self, rule: _Rule) -> FlowChange:
        self._doubtful.pop(rule, None)
        return FlowChange("removed", self._flows.pop(rule))

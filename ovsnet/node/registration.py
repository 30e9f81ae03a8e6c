"""What the southbound database has registered of this node, and whether another node registers the same.

ovn-controller looks its row of Chassis up by name and writes its own host name and tunnel addresses into it, over
those of any other node (controller/chassis.c, ``chassis_update``). So two nodes of one name overwrite each other's row.
An address that is another chassis' already is refused by the index of Encap, or left out with a line in the log
(``chassis_build_encaps``): the later node of the two has no tunnels then.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import msgspec


class Ours(msgspec.Struct, frozen=True):
    """What this node's ovn-controller registers. ``hostname`` is empty where only ovn-controller knows it."""

    name: str
    hostname: str
    addresses: frozenset[str]


class Registered(msgspec.Struct, frozen=True):
    """The row of Chassis that bears our name, at one moment; ``version`` changes whenever it is written, and is
    empty when there is none. ``taken``: other chassis by our addresses that they have."""

    hostname: str = ""
    addresses: frozenset[str] = frozenset()
    version: str = ""
    taken: Mapping[str, str] = msgspec.field(default_factory=dict)

    def is_of_another(self, ours: Ours) -> bool:
        """Whether another node wrote it. An address may be missing, which proves nothing."""
        if not self.version:
            return False
        return not self.addresses <= ours.addresses or bool(ours.hostname and self.hostname != ours.hostname)


class Conflict(msgspec.Struct, frozen=True):
    """Another node has our name, then ``address`` is empty; or one of our addresses. ``chassis`` and ``host`` are the
    other's, ``its_addresses`` what it registers."""

    chassis: str
    host: str
    address: str = ""
    its_addresses: tuple[str, ...] = ()


def conflicts(ours: Ours, seen: Sequence[Registered]) -> Mapping[Hashable, Conflict]:
    """What is in conflict, by what it is about, from several looks within a short time. Pure.

    The row of a name that two nodes have is now the one's, now the other's: that it is ours at one look proves nothing.
    While no address is configured ovn-controller registers nothing, and the row says what was configured before.
    """
    if not ours.addresses:
        return {}
    taken = {address: Conflict(chassis, "", address) for each in seen[-1:] for address, chassis in each.taken.items()}
    if taken:  # then what we want is refused, and the row says what we had before
        return dict(sorted(taken.items()))
    theirs = next((each for each in seen if each.is_of_another(ours)), None)
    if theirs is None:
        return {}
    return {
        "name": Conflict(ours.name, theirs.hostname, its_addresses=tuple(sorted(theirs.addresses - ours.addresses)))
    }

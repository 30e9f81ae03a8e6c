"""What the checks of the central daemons share: NB, SB and ovn-northd, where they run on this host.

They serve the whole network, and this node goes on without them, so nothing they lack makes it unready. Where none of
them shows in the run directory, nobody is asked.
"""

from __future__ import annotations

import os

from ovsnet.errors import PeerError
from ovsnet.health.checks.result import Answer, elsewhere
from ovsnet.node.components import NORTHD, Component
from ovsnet.node.node import Node


def is_here(node: Node, component: Component) -> bool:
    """Whether a central daemon runs on this host, or ended otherwise than in order: then its pidfile is left over,
    which lib/fatal-signal.c removes at an orderly end. A socket with a pid in its name may be an earlier process's."""
    directory = str(node.rundir.ovn)  # twelve checks of a round ask it, and a Path costs as much as a file
    return any(os.path.exists(f"{directory}/{name}") for name in component.lasting_files)


def not_here(component: Component) -> Answer:
    """There is nothing to ask."""
    return elsewhere(f"{component.title} is not on this host.")


async def northd_says(node: Node, command: str) -> str:
    """What ovn-northd of this host answers; empty when it does not, or is too old to know the command."""
    if not is_here(node, NORTHD):
        return ""
    try:
        control = await node.control[NORTHD.daemon].session(node.settings.timeout)
        return (await control.call(command, timeout=node.settings.timeout)).strip()
    except PeerError:  # northd.status judges it
        return ""

"""Whether a request addresses us by a name of ours.

A hostile page can have its own name resolve to 127.0.0.1, and then read from here what the browser's user may read
(DNS rebinding). Its requests carry its name, so names are checked. An address needs no check: it cannot be rebound.
"""

from __future__ import annotations

import ipaddress

from ovsnet.agent.agent import Agent


def host_is_ours(header: str, agent: Agent) -> bool:
    """``header`` is the request's Host. None at all comes from HTTP/1.0, which no browser speaks."""
    name = _name(header).lower().rstrip(".")
    ours = {"", "localhost", agent.name.lower(), *(each.lower() for each in agent.settings.host_names)}
    return name in ours or _is_number(name)


def _name(header: str) -> str:
    """Without the port: ``[::1]:80`` is ``::1``."""
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.rpartition(":")[0] if header.count(":") == 1 else header


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True

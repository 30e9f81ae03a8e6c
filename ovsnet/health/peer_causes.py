"""What a peer does to us. It says nothing of the traffic, so it degrades."""

from __future__ import annotations

from ovsnet.errors import ProtocolFlood
from ovsnet.health.cause import Cause, State

PEERS = (
    Cause(
        code="protocol-flood",
        state=State.DEGRADED,
        summary="A daemon, or what listens in its place, sends far more than was asked for.",
        remedies=(
            "See in its log what it does, and which process listens on that socket (`ss -xlp`). From a row that is too"
            " large, remove what fills it.",
        ),
        reasons=frozenset({ProtocolFlood.reason}),
    ),
)

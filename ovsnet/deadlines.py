"""Numbers that the agent, its units and its manifests must agree on. Seconds, unless another unit is said."""

from __future__ import annotations

HEARTBEAT = 0.5
"""Between two ticks of our own loop."""

STALLED = 10 * HEARTBEAT
"""Without a tick of our own loop for so long, ``/livez`` fails."""

DRAIN = 0.5
"""For which we still accept after the first signal, so that a client that asks ``/readyz`` hears that we leave."""

SHUTDOWN = 1.0
"""For open requests to finish when the agent stops."""

BACKLOG = 2048
"""Connections that wait in the kernel until we accept them. One more would have to try again after a second
(net/ipv4/tcp_input.c, tcp_conn_request; TCP_TIMEOUT_INIT), which is all the time that a kubelet gives a probe."""

CHASSIS_PER_WORKER = 1000
"""Simulated chassis that one process of ``bench storm`` runs, unless there are more processors than it takes."""

NOW = "now"
"""The moment at which a bench starts when no other is given."""

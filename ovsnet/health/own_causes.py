"""What ovsnet itself lacks or does wrong. The last in causal order: it explains no daemon's fault, and hides none."""

from __future__ import annotations

from ovsnet.errors import OutOfMemory, OwnLimit
from ovsnet.health.cause import Cause, State

OURSELVES = (
    Cause(
        code="self-out-of-descriptors",
        state=State.DEGRADED,
        summary="ovsnet itself has no descriptors left, so it cannot ask. This says nothing about the daemons.",
        remedies=(
            "Raise the limit of ovsnet, which has {descriptors} descriptors open and may have {limit} "
            "(`LimitNOFILE=` of its service), or lower --max-connections.",
            "Raise the limit of ovsnet, which may have {limit} descriptors (`LimitNOFILE=` of its service), or lower "
            "--max-connections.",
            "Raise the limit of ovsnet's open files (`LimitNOFILE=` of its service), or lower --max-connections.",
        ),
        reasons=frozenset({OwnLimit.reason}),
        exit_code=3,
        blind=True,
    ),
    Cause(
        code="self-out-of-memory",
        state=State.DEGRADED,
        summary="ovsnet itself has no memory left, so it cannot ask. This says nothing about the daemons.",
        remedies=("Give ovsnet more memory (`MemoryMax=` of its service, or its container's limit).",),
        reasons=frozenset({OutOfMemory.reason}),
        exit_code=3,
        blind=True,
    ),
    Cause(
        code="ovsnet-fault",
        state=State.DEGRADED,
        summary="ovsnet has a bug here, so what the check asks is not known. This says nothing about the daemons.",
        remedies=(
            "Report it: {fault}.",
            "Report it, with the check's own sentence.",
        ),
        reasons=frozenset({"internal"}),
        exit_code=3,
        blind=True,
    ),
)

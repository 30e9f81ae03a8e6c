"""Hand-made results that know their daemon, as those of the runner do."""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.health.checks.declaration import CHECKS
from ovsnet.health.checks.result import Number, Result, Status


def result(
    name: str,
    status: Status = Status.OK,
    at: float = 1.0,
    reason: str = "",
    detail: str = "",
    *,
    rtt_seconds: float | None = None,
    values: Mapping[str, Number] | None = None,
    facts: Mapping[str, str] | None = None,
) -> Result:
    """What the check ``name`` says."""
    check = CHECKS[name]
    return Result(
        name,
        status,
        at,
        reason,
        detail,
        rtt_seconds,
        values or {},
        facts or {},
        daemon=check.daemon,
        socket=check.socket,
    )

"""A diagnosis of hand-made results, with a start that is over or not."""

from collections.abc import Iterable

from ovsnet.health.cause import Cause
from ovsnet.health.causes import cause_of
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.diagnosis import Diagnosis, diagnose
from ovsnet.health.timeline import STAGES, START_ORDER, Timeline
from tests.health.results import result as made

ALLOWANCE = 60.0


def result(name: str, reason: str, status: Status = Status.FAILED) -> Result:
    return made(name, status, 1.0, reason, f"{name} says {reason}.")


def timeline(*, over: bool, started: Iterable[str] = START_ORDER, began: float = 0.0) -> Timeline:
    """These daemons started at ``began``, which the observer saw."""
    line = Timeline(began, CHECKS)
    for daemon in started:
        line.restarted(daemon, began)
    for stage in STAGES if over else ():
        line.observe(Result(stage.check, Status.OK, began))
    return line


def ended(*, began: float, at: float) -> Timeline:
    """The same, and the last stage was reached at that moment."""
    line = timeline(over=False, began=began)
    for stage in STAGES:
        line.observe(Result(stage.check, Status.OK, at))
    return line


def diagnosis_of(
    *results: Result,
    over: bool = True,
    started: Iterable[str] = START_ORDER,
    now: float = 1.0,
    before: Diagnosis | None = None,
) -> Diagnosis:
    named = {each.name: each for each in results}
    line = timeline(over=over, started=started)
    return diagnose(named, line, now=now, allowance=ALLOWANCE, before=before)


def occasions(cause: Cause) -> list[Result]:
    """Every lone result that shows this cause and no row above it."""
    reasons = [(reason, Status.FAILED) for reason in sorted(cause.reasons)]
    told = [result(check, reason, status) for check in CHECKS for reason, status in (*reasons, ("busy", Status.SLOW))]
    return [each for each in told if cause_of(each) is cause]

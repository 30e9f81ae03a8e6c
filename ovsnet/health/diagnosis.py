"""From all results to one root cause. Pure.

``causes()`` is in causal order: the first that matches is the root; the others that match are named beside it. Checks
that build on a failed one are skipped, so they match nothing: dependants are not blamed.

The state is the worst of all causes that match. So a southbound that is away degrades a node whose flows are in, and
makes a node unready that has none: through ``flows-missing``, not by itself (kube-ovn #1575).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec.structs import replace

from ovsnet.health.cause import UNPROVEN, Cause, State
from ovsnet.health.causes import SHOWS_FAULTS, cause_of, causes, explains_unready, state_of
from ovsnet.health.checks.result import NEVER_ASKED, Result, Status
from ovsnet.health.timeline import STAGES, Timeline
from ovsnet.node.components import CONTROLLER

Match = tuple[Cause, Result]


class Diagnosis(msgspec.Struct, frozen=True):
    """The one root cause. ``since`` is when this code began; ``also`` names other causes that hold at once.

    ``dead``: OVS is proven dead. ``proven``: what makes the state is a fact and will not pass by itself. ``command``:
    what the remedy says to type, with the values of this node; empty when it says nothing of the kind.
    """

    code: str
    state: State
    summary: str
    remedy: str
    evidence: tuple[str, ...]
    also: tuple[str, ...]
    dead: bool
    proven: bool
    since: float
    command: str = ""
    check: str = ""
    """The one that shows the root cause; empty when none does."""


UNASKED = Diagnosis(
    code="starting",
    state=State.STARTING,
    summary="The first answers are not in yet.",
    remedy="Wait.",
    evidence=(),
    also=(),
    dead=False,
    proven=True,
    since=0.0,
)

HEALTHY = Diagnosis("healthy", State.READY, "All required checks pass.", "", (), (), False, True, 0.0)


def diagnose(
    results: Mapping[str, Result], timeline: Timeline, *, now: float, allowance: float, before: Diagnosis | None = None
) -> Diagnosis:
    """The diagnosis of ``results`` at ``now``; ``allowance`` is how many seconds a start may take.

    The first row that applies:

        nobody has been asked yet                                                     -> starting
        a start is within its allowance, and every match is one that a start shows    -> starting
        the start has just ended, and every match is of a check last asked within it  -> as before
        something matches                                                             -> its root cause; while a start
                                                                                         is within its allowance, of
                                                                                         those that it does not excuse
        a check waits for one that is well again and was not asked yet                -> as before
        otherwise                                                                     -> healthy
    """
    matches = list(matches_of(results.values()))
    waiting = timeline.waiting_for()
    starting = waiting is not None and timeline.under_way(now, allowance)
    named = [each for each in matches if not (starting and _is_excused(each, results, timeline, now, allowance))]
    if not results:
        found = UNASKED
    elif starting and waiting and all(state_of(*each) is State.DEGRADED for each in named):
        found = _starting(waiting, results, matches)
    elif before is not None and _was_starting(before, timeline) and _asked_within_the_start(matches, timeline):
        found = before
    elif matches:
        found = _root(named, results)
    elif before is not None and before.evidence and any(result.reason in NEVER_ASKED for result in results.values()):
        found = before
    else:
        found = HEALTHY
    since = before.since if before is not None and before.code == found.code else now
    if before is not None and found is HEALTHY and before.code == HEALTHY.code:
        return before
    return replace(found, since=since)


def partly_asked(found: Diagnosis, asked: int, of: int) -> Diagnosis:
    """What can be said when only some checks were asked: of the node, nothing good."""
    if found.code != HEALTHY.code:
        return found
    return replace(found, code="partly-asked", summary=f"{asked} of {of} checks were asked, and they pass.")


def matches_of(results: Iterable[Result]) -> Iterable[Match]:
    """Causes with the results that show them, in causal order. A result shows the first that explains it, no other."""
    shown: dict[Cause, list[Result]] = {}
    for result in results:
        if result.status in SHOWS_FAULTS and (cause := cause_of(result)) is not None:
            shown.setdefault(cause, []).append(result)
    if not shown:  # as on every healthy node, many times a second
        return ()
    order = [cause for cause in causes() if cause in shown]
    order += [cause for cause in shown if cause not in order]
    return ((cause, result) for cause in order for result in shown[cause])


def _was_starting(before: Diagnosis, timeline: Timeline) -> bool:
    """Whether a start was seen, and not only that nobody had been asked yet; or it has ended well."""
    if before.code == HEALTHY.code:
        return timeline.began is not None
    return before.state is State.STARTING and bool(before.evidence)


def _is_excused(match: Match, results: Mapping[str, Result], timeline: Timeline, now: float, allowance: float) -> bool:
    """Whether it only means that a start is not over."""
    cause, result = match
    if not cause.in_start:
        return False
    daemon = "" if cause.code == "flows-missing" else result.daemon
    after = not _installed_flows(result, results)
    return timeline.excuses(daemon, now, allowance, lost_at=result.lost_at, after_others=after)


def _installed_flows(result: Result, results: Mapping[str, Result]) -> bool:
    """Whether ovn-controller died after the switch's start: it left its pidfile, and flows that it alone installs."""
    flows = results.get("openflow.flows")
    died = result.daemon == CONTROLLER.daemon and result.lost_at is not None
    return died and flows is not None and flows.status is Status.OK


def _asked_within_the_start(matches: list[Match], timeline: Timeline) -> bool:
    """Whether all of them were asked before the start was over: within it, or of the process that was there before."""
    ended = timeline.ended
    if not matches or ended is None:
        return False
    return all(cause.in_start and found.as_of < ended for cause, found in matches)


def _is_proven(match: Match) -> bool:
    """Whether this alone makes the node unready at once."""
    cause, result = match
    return not state_of(cause, result).serves and not cause.brief and result.reason not in UNPROVEN


def _root(matches: list[Match], results: Mapping[str, Result]) -> Diagnosis:
    root = matches[0][0]
    flows = results.get("openflow.flows")
    stay = root.flows_stay and flows is not None and flows.status is Status.OK
    facts = {name: value for cause, result in matches if cause is root for name, value in result.facts.items()}
    return Diagnosis(
        code=root.code,
        state=max(state_of(cause, found) for cause, found in matches),
        summary=f"{root.summary} Installed flows stay." if stay else root.summary,
        remedy=root.remedy_for(facts),
        command=root.command_for(facts),
        check=matches[0][1].name,
        evidence=_evidence(matches),
        also=tuple(dict.fromkeys(cause.code for cause, _ in matches if not _covers(root, cause))),
        dead=any(cause.dead for cause, _ in matches),
        proven=any(_is_proven(match) for match in matches),
        since=0.0,
    )


def _covers(root: Cause, cause: Cause) -> bool:
    """A daemon that is gone, hung or locked out is late, too."""
    return cause.code == root.code or (cause.slow and cause.daemon == root.daemon)


def _starting(waiting: str, results: Mapping[str, Result], matches: list[Match]) -> Diagnosis:
    """A node whose flows are in forwards, while ovn-controller alone restarts: that degrades it. Not where the switch
    lacks something itself, as one that waits for flow-restore-wait to be removed does."""
    flows = results.get("openflow.flows")
    alone = all(state_of(cause, result).serves or result.daemon == CONTROLLER.daemon for cause, result in matches)
    forwards = waiting in ("controller", "flows") and flows is not None and flows.status is Status.OK and alone
    shown = _why_late(waiting, matches)
    return Diagnosis(
        code="starting",
        state=State.DEGRADED if forwards else State.STARTING,
        summary=f"The start waits for the stage {waiting}. {shown[1].detail if shown else ''}".rstrip(),
        remedy=shown[0].remedy_for(shown[1].facts) if shown else "Wait; nothing is known that holds it up.",
        command=shown[0].command_for(shown[1].facts) if shown else "",
        check=shown[1].name if shown else "",
        evidence=_evidence(matches),
        also=tuple(dict.fromkeys(cause.code for cause, _ in matches)),
        dead=False,
        proven=True,
        since=0.0,
    )


def _why_late(waiting: str, matches: list[Match]) -> Match | None:
    """The first of those that hold the start up: the last of them in causal order, and all that may explain it. A
    backoff that will end by itself says more than the flows that it keeps away. None when what is wrong has nothing to
    do with it, as a certificate that expires soon."""
    check = next(stage.check for stage in STAGES if stage.name == waiting)
    ends = [at for at, (cause, result) in enumerate(matches, 1) if result.name == check or _holds_up(cause, result)]
    holding = matches[: ends[-1]] if ends else []
    return next((each for each in holding if "retry_seconds" in each[1].facts), next(iter(holding), None))


def _holds_up(cause: Cause, result: Result) -> bool:
    """Whether a start may wait for it: it makes the node unready, or is shown by starts and explains what does."""
    return not state_of(cause, result).serves or (cause.in_start and explains_unready(cause))


def _evidence(matches: list[Match]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"{result.name}: {result.detail}" for _, result in matches))

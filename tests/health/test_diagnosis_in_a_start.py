"""What a start excuses, and what it does not."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from ovsnet.health.cause import Cause, State
from ovsnet.health.causes import causes, explains_unready, state_of
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Result, Status
from ovsnet.health.diagnosis import diagnose
from ovsnet.health.timeline import STAGES, START_ORDER, Timeline
from tests.health.diagnosing import ALLOWANCE, diagnosis_of, ended, occasions, result, timeline

AWAITED = {stage.check for stage in STAGES}


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: f"{cause.code}-{cause.state.label}")
def test_within_the_allowance_a_cause_is_a_stage_not_reached_or_stands_out(cause: Cause) -> None:
    for each in occasions(cause):
        excused = cause.in_start or state_of(cause, each) is State.DEGRADED
        found = diagnosis_of(each, over=False)
        assert (found.code, found.also) == (("starting", (cause.code,)) if excused else (cause.code, ()))


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: f"{cause.code}-{cause.state.label}")
def test_without_the_start_of_a_daemon_nothing_is_excused(cause: Cause) -> None:
    """The observer alone is new: the node's stages are open for it, and no start is under way."""
    for each in occasions(cause):
        assert diagnosis_of(each, over=False, started=()).code == cause.code


def test_open_start_within_its_allowance_is_starting_and_names_what_it_waits_for() -> None:
    found = diagnosis_of(result("ovsdb.echo", "gone"), over=False, now=59.0)
    assert (found.code, found.state, found.also, found.dead) == ("starting", State.STARTING, ("ovsdb-down",), False)
    assert "database" in found.summary
    assert "Start it" in found.remedy


def test_what_a_start_waits_for_has_its_own_remedy_whatever_else_is_wrong() -> None:
    backoff = replace(result("controller.openflow", "controller-no-openflow"), facts={"retry_seconds": "1.0"})
    found = diagnosis_of(result("vswitchd.restarts", "restarting"), backoff, over=False, now=59.0)
    assert (found.check, found.also) == ("controller.openflow", ("vswitchd-restarting", "controller-not-connected"))
    assert found.summary.endswith(backoff.detail)
    assert "1.0 s" in found.remedy


UNRELATED = [
    cause
    for cause in causes()
    if cause.state is State.DEGRADED and not cause.in_start and not cause.slow and not explains_unready(cause)
]


@pytest.mark.parametrize("cause", UNRELATED, ids=lambda cause: cause.code)
def test_start_does_not_wait_for_what_does_not_hold_it_up(cause: Cause) -> None:
    """As a certificate that expires soon: it is evidence, and not the reason."""
    beside = next(each for each in occasions(cause) if each.name not in AWAITED)
    alone = diagnosis_of(beside, over=False, now=59.0)
    assert (alone.code, alone.also, alone.check) == ("starting", (cause.code,), "")
    assert beside.detail not in alone.summary
    missing = result("openflow.flows", "flows-missing")
    found = diagnosis_of(beside, missing, over=False, now=59.0)
    assert (found.check, cause.code in found.also) == ("openflow.flows", True)
    assert found.summary.endswith(missing.detail)


def test_start_waits_for_what_explains_that_the_stage_is_not_reached() -> None:
    """The southbound database degrades a node by itself, and is why there are no flows."""
    for beside in [(), (result("openflow.flows", "flows-missing"),)]:
        found = diagnosis_of(result("southbound.echo", "gone"), *beside, over=False, now=59.0)
        assert (found.code, found.check) == ("starting", "southbound.echo")


def test_start_waits_for_the_daemon_that_is_slow_to_answer() -> None:
    slow = result("ovsdb.echo", "late", Status.SLOW)
    assert diagnosis_of(slow, over=False, now=59.0).check == slow.name


def test_open_start_past_its_allowance_bears_the_name_of_what_is_missing() -> None:
    found = diagnosis_of(result("ovsdb.echo", "gone"), over=False, now=60.0)
    assert (found.code, found.state, found.dead) == ("ovsdb-down", State.NOT_READY, True)


def test_open_start_in_which_nothing_fails_is_starting() -> None:
    found = diagnosis_of(result("ovsdb.echo", "", Status.OK), over=False, now=59.0)
    assert (found.code, found.state, found.evidence) == ("starting", State.STARTING, ())
    assert found.remedy


@pytest.mark.parametrize("now", [1.0, 1000.0])
@pytest.mark.parametrize("started", [START_ORDER, ()])
def test_before_the_first_answer_nothing_is_known(started: Iterable[str], now: float) -> None:
    found = diagnosis_of(over=False, started=started, now=now)
    assert (found.code, found.state, found.evidence) == ("starting", State.STARTING, ())


def test_what_no_start_excuses_is_named_at_once() -> None:
    found = diagnosis_of(result("ovsdb.echo", "hung"), result("controller.running", "gone"), over=False, now=1.0)
    assert (found.code, found.also) == ("ovsdb-hung", ())


OF_A_START = [cause for cause in causes() if cause.in_start and cause.daemon != "ovn-controller"]


@pytest.mark.parametrize("cause", OF_A_START, ids=lambda cause: f"{cause.code}-{cause.state.label}")
def test_what_a_start_excuses_is_not_named_beside_what_it_does_not(cause: Cause) -> None:
    """ovn-controller was lost after the switch had started."""
    lost = replace(result("controller.running", "gone"), lost_at=0.5)
    shown = [each for each in occasions(cause) if each.daemon != lost.daemon]
    found = [diagnosis_of(each, lost, over=False, started=["ovsdb-server", "ovs-vswitchd"]) for each in shown]
    assert {(each.code, each.also) for each in found} == {("controller-down", ())}


@pytest.mark.parametrize(
    ("started", "lost_at", "code"),
    [
        ("ovn-controller", None, "vswitchd-down"),
        ("ovs-vswitchd", None, "starting"),
        ("ovsdb-server", None, "starting"),
        ("ovsdb-server", -1.0, "starting"),
        ("ovsdb-server", 0.5, "vswitchd-down"),
        ("ovs-vswitchd", 0.5, "vswitchd-down"),
    ],
)
def test_start_excuses_a_daemon_that_comes_after_it_and_was_not_lost_since(
    started: str, lost_at: float | None, code: str
) -> None:
    gone = replace(result("vswitchd.ofproto", "gone"), lost_at=lost_at)
    assert diagnosis_of(gone, over=False, started=[started]).code == code


def test_fault_of_the_first_round_is_named_though_the_last_stage_was_reached_after_it() -> None:
    """In one round the checks answer one after the other; nobody had said ``starting`` of a daemon before."""
    unasked = diagnose({}, Timeline(0.0, CHECKS), now=0.0, allowance=ALLOWANCE)
    fault = result("controller.chassis", "chassis-unconfigured")
    ended = timeline(over=True, began=2.0)
    assert ended.ended is not None
    assert fault.at < ended.ended
    found = diagnose({fault.name: fault}, ended, now=3.0, allowance=ALLOWANCE, before=unasked)
    assert found.code == "chassis-unconfigured"


@pytest.mark.parametrize(("asked_at", "code"), [(1.9, "starting"), (2.5, "starting"), (4.5, "socket-missing")])
def test_what_was_asked_within_a_start_is_asked_again_before_it_counts(asked_at: float, code: str) -> None:
    """The process behind a missing socket may take long to find; by then the start may be over."""
    fault = replace(result("controller.running", "socket-missing"), at=5.0, asked_at=asked_at)
    under_way, over = timeline(over=False, began=2.0), ended(began=2.0, at=4.0)
    before = diagnose({fault.name: fault}, under_way, now=2.6, allowance=ALLOWANCE)
    assert before.code == "starting"
    assert diagnose({fault.name: fault}, over, now=5.0, allowance=ALLOWANCE, before=before).code == code
    well = diagnose({"ovsdb.echo": result("ovsdb.echo", "", Status.OK)}, over, now=4.2, allowance=ALLOWANCE)
    assert well.code == "healthy"
    kept = "healthy" if code == "starting" else code
    assert diagnose({fault.name: fault}, over, now=5.0, allowance=ALLOWANCE, before=well).code == kept


@pytest.mark.parametrize(
    ("name", "reason", "state"),
    [
        ("controller.running", "gone", State.DEGRADED),
        ("controller.running", "socket-missing", State.DEGRADED),
        ("ovsdb.flow_restore", "flow-restore-wait", State.STARTING),
    ],
)
def test_node_in_the_start_of_ovn_controller_serves_only_while_its_switch_forwards(
    name: str, reason: str, state: State
) -> None:
    line = timeline(over=False, began=2.0)
    for stage in ("ovsdb.echo", "vswitchd.ofproto", "openflow.echo"):
        line.observe(Result(stage, Status.OK, 2.0))
    results = [result(name, reason), result("openflow.flows", "", Status.OK)]
    found = diagnose({each.name: each for each in results}, line, now=2.5, allowance=ALLOWANCE)
    assert (found.code, found.state) == ("starting", state)

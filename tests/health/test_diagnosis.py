"""One root cause out of hand-made results."""

import pytest
from msgspec.structs import replace

from ovsnet.health.cause import Cause, State
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes
from ovsnet.health.checks import CHECKS
from ovsnet.health.checks.result import Result, Status
from ovsnet.node.components import Socket
from tests.health.diagnosing import diagnosis_of, occasions, result


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: f"{cause.code}-{cause.state.label}")
def test_every_cause_can_be_the_root(cause: Cause) -> None:
    roots = [diagnosis_of(each) for each in occasions(cause)]
    assert roots
    assert {(root.code, root.summary, root.remedy, len(root.evidence)) for root in roots} == {
        (cause.code, cause.summary, cause.remedy, 1)
    }


SILENCE = {
    "ovsdb-server": "ovsdb",
    "ovs-vswitchd": "vswitchd",
    "ovn-controller": "controller",
    "southbound": "southbound",
    "ovnnb_db": "nb",
    "ovnsb_db": "sb",
    "ovn-northd": "northd",
}


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if check.daemon])
@pytest.mark.parametrize(
    ("reason", "status", "ending"),
    [
        ("hung", Status.FAILED, "hung"),
        ("late", Status.SLOW, "slow"),
        ("busy", Status.SLOW, "slow"),
        ("starved", Status.SLOW, "slow"),
        ("of a new kind", Status.SLOW, "slow"),
    ],
)
def test_silence_is_named_for_its_daemon_whatever_the_check(
    name: str, reason: str, status: Status, ending: str
) -> None:
    found = diagnosis_of(result(name, reason, status))
    assert found.code == f"{SILENCE[CHECKS[name].daemon]}-{ending}"
    assert found.state is not State.NOT_READY or status is Status.FAILED


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("reason", ["process-unseen", "unseen", "of a new kind"])
@pytest.mark.parametrize("status", [Status.SLOW, Status.UNKNOWN])
def test_what_is_slow_or_unknown_never_makes_a_node_unready(name: str, reason: str, status: Status) -> None:
    found = diagnosis_of(result(name, reason, status))
    assert found.state.serves
    assert not found.dead


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: f"{cause.code}-{cause.state.label}")
def test_last_remedy_needs_no_facts_and_no_template_is_printed(cause: Cause) -> None:
    assert cause.remedy_for({}) == cause.remedy
    assert "{" not in cause.remedy


def test_remedy_follows_the_evidence_and_has_its_real_values() -> None:
    silent = result("vswitchd.ofproto", "hung")
    assert "/proc/PID/stack" in diagnosis_of(silent).remedy
    seen = diagnosis_of(replace(silent, facts={"pid": "11051"}))
    assert "cat /proc/11051/stack" in seen.remedy
    stopped = diagnosis_of(replace(silent, facts={"pid": "11051", "stopped": "11051"}))
    assert stopped.remedy == "Process 11051 is stopped: resume it with `kill -CONT 11051`."


@pytest.mark.parametrize("cause", causes(), ids=lambda cause: f"{cause.code}-{cause.state.label}")
def test_every_cause_says_what_to_do_in_sentences(cause: Cause) -> None:
    assert cause.summary.endswith(".")
    assert cause.remedy.endswith(".")


@pytest.mark.parametrize(
    ("results", "code", "also", "state", "dead"),
    [
        ([], "starting", (), State.STARTING, False),
        ([result("ovsdb.echo", "", Status.OK)], "healthy", (), State.READY, False),
        ([result("controller.openflow", "unseen", Status.UNKNOWN)], "healthy", (), State.READY, False),
        ([result("ovsdb.echo", "process-unseen", Status.UNKNOWN)], "process-unseen", (), State.DEGRADED, False),
        ([result("controller.running", "not-used", Status.SKIPPED)], "healthy", (), State.READY, False),
        (
            [result("ovsdb.echo", "gone"), result("openflow.echo", "precondition", Status.SKIPPED)],
            *("ovsdb-down", (), State.NOT_READY, True),
        ),
        (
            [result("vswitchd.ofproto", "gone"), result("ovsdb.echo", "gone")],
            *("ovsdb-down", ("vswitchd-down",), State.NOT_READY, True),
        ),
        ([result("ovsdb.echo", "refused")], "socket-missing", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "socket-missing")], "socket-missing", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "not-visible")], "not-visible", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "tls")], "tls-failed", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "name-unresolved")], "name-unresolved", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "config")], "misconfigured", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "unreachable")], "database-unreachable", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "unknown-database")], "database-foreign", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "backlog-full")], "ovsdb-backlog-full", (), State.NOT_READY, False),
        ([result("ovsdb.echo", "no-descriptors")], "descriptors-exhausted", (), State.NOT_READY, False),
        ([result("vswitchd.ofproto", "refused")], "socket-missing", (), State.DEGRADED, False),
        ([result("controller.running", "socket-missing")], "socket-missing", (), State.DEGRADED, False),
        ([result("southbound.echo", "tls")], "tls-failed", (), State.DEGRADED, False),
        ([result("southbound.echo", "unknown-database")], "southbound-wrong-address", (), State.DEGRADED, False),
        ([result("southbound.echo", "protocol")], "southbound-wrong-address", (), State.DEGRADED, False),
        ([result("southbound.echo", "refused")], "southbound-down", (), State.DEGRADED, False),
        (
            [result("vswitchd.ofproto", "socket-missing"), result("openflow.echo", "hung")],
            *("vswitchd-hung", ("socket-missing",), State.NOT_READY, True),
        ),
        ([result("ovsdb.echo", "hung")], "ovsdb-hung", (), State.NOT_READY, True),
        ([result("vswitchd.ofproto", "gone")], "vswitchd-down", (), State.NOT_READY, True),
        ([result("vswitchd.ofproto", "hung")], "vswitchd-hung", (), State.NOT_READY, True),
        ([result("openflow.echo", "hung")], "vswitchd-hung", (), State.NOT_READY, True),
        ([result("openflow.echo", "socket-missing")], "mgmt-socket-missing", (), State.NOT_READY, False),
        ([result("openflow.echo", "backlog-full")], "mgmt-backlog-full", (), State.NOT_READY, False),
        ([result("vswitchd.ofproto", "late", Status.SLOW)], "vswitchd-slow", (), State.DEGRADED, False),
        ([result("ovsdb.echo", "starved", Status.SLOW)], "ovsdb-slow", (), State.DEGRADED, False),
        ([result("controller.running", "busy", Status.SLOW)], "controller-slow", (), State.DEGRADED, False),
        (
            [result("controller.connection", "controller-not-connected")],
            *("controller-not-connected", (), State.DEGRADED, False),
        ),
        (
            [result("northd.connection", "northd-not-connected"), result("sb.cluster", "sb-elections")],
            *("sb-elections", ("northd-not-connected",), State.DEGRADED, False),
        ),
        (
            [result("controller.connection", "controller-not-connected"), result("openflow.flows", "flows-missing")],
            *("controller-not-connected", ("flows-missing",), State.NOT_READY, False),
        ),
        (
            [result("controller.running", "controller-paused"), result("ovsdb.echo", "late", Status.SLOW)],
            *("controller-paused", ("ovsdb-slow",), State.NOT_READY, False),
        ),
        (
            [result("openflow.echo", "permission-denied"), result("ovsdb.echo", "permission-denied")],
            *("permission-denied", (), State.NOT_READY, False),
        ),
        ([result("ovsdb.echo", "of a new kind")], "check-failed", (), State.NOT_READY, False),
        (
            [result("ovsdb.echo", "of a new kind"), result("openflow.flows", "flows-missing")],
            *("flows-missing", ("check-failed",), State.NOT_READY, False),
        ),
    ],
)
def test_root_others_and_worst_state(
    results: list[Result], code: str, also: tuple[str, ...], state: State, dead: bool
) -> None:
    found = diagnosis_of(*results)
    assert (found.code, found.also, found.state, found.dead) == (code, also, state, dead)


REASONS = sorted({"of a new kind"}.union(*(cause.reasons for cause in causes())))


@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if check.daemon == "southbound"])
def test_southbound_never_makes_a_node_unready(name: str) -> None:
    found = {reason: diagnosis_of(result(name, reason)) for reason in REASONS}
    assert {reason for reason, each in found.items() if (each.state, each.dead) != (State.DEGRADED, False)} == set()


ABSENCES = ("socket-missing", "refused", "closed", "gone", "not-visible", "permission-denied", "protocol", "tls")


@pytest.mark.parametrize("reason", ABSENCES)
@pytest.mark.parametrize("name", [name for name, check in CHECKS.items() if check.socket is not Socket.NONE])
def test_daemon_that_goes_while_it_is_asked_has_a_name_whatever_the_question(name: str, reason: str) -> None:
    assert diagnosis_of(result(name, reason)).code != UNEXPLAINED.code


@pytest.mark.parametrize("name", CHECKS)
def test_nothing_but_a_process_that_is_gone_or_stands_still_is_dead(name: str) -> None:
    reasons = [reason for reason in REASONS if reason not in ("gone", "hung")]
    assert [reason for reason in reasons if diagnosis_of(result(name, reason)).dead] == []


def test_evidence_is_each_matching_results_own_sentence_once() -> None:
    found = diagnosis_of(result("openflow.echo", "backlog-full"), result("ovsdb.echo", "", Status.OK))
    assert found.evidence == ("openflow.echo: openflow.echo says backlog-full.",)


def test_since_stays_while_the_code_stays_and_starts_anew_with_another() -> None:
    first = diagnosis_of(result("vswitchd.ofproto", "gone"), now=5.0)
    second = diagnosis_of(result("openflow.echo", "gone"), now=9.0, before=first)
    third = diagnosis_of(result("vswitchd.ofproto", "", Status.OK), now=12.0, before=second)
    assert [each.since for each in (first, second, third)] == [5.0, 5.0, 12.0]


def test_no_two_rows_are_of_one_code_and_state_and_no_code_has_a_meaning_of_its_own() -> None:
    codes = [cause.code for cause in causes()]
    assert len(codes) == len({(cause.code, cause.state) for cause in causes()})
    assert not {"healthy", "starting", UNEXPLAINED.code} & set(codes)


@pytest.mark.parametrize(
    ("state", "label", "serves"),
    [
        (State.READY, "ready", True),
        (State.DEGRADED, "degraded", True),
        (State.STARTING, "starting", False),
        (State.NOT_READY, "not-ready", False),
    ],
)
def test_states_as_the_documents_and_readyz_have_them(state: State, label: str, serves: bool) -> None:
    assert (state.label, state.serves) == (label, serves)


def test_flows_are_said_to_stay_only_where_there_are_some() -> None:
    stay = [cause.code for cause in causes() if cause.flows_stay]
    assert {"southbound-down", "controller-not-connected"} <= set(stay)
    for each in (occasions(cause)[0] for cause in causes() if cause.flows_stay):
        assert "Installed flows stay." in diagnosis_of(each, result("openflow.flows", "", Status.OK)).summary
        assert "stay" not in diagnosis_of(each, result("openflow.flows", "flows-missing")).summary


def test_who_is_to_install_flows_depends_on_whether_ovn_is_used() -> None:
    wiped = result("openflow.flows", "flows-missing")
    assert "ovn-controller" in diagnosis_of(wiped).remedy
    plain = replace(wiped, facts={"without_ovn": "br0"})
    assert "ovn-controller" not in diagnosis_of(plain).remedy
    assert "br0" in diagnosis_of(plain).remedy


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("southbound.fresh", "stale"),
        ("controller.connection", "stale"),
        ("controller.connection", "controller-not-connected"),
    ],
)
def test_who_refuses_a_restored_southbound_is_told_how_to_take_it(name: str, reason: str) -> None:
    """Nothing else ends that but a restart of ovn-controller, and of a southbound elsewhere its log alone says so."""
    assert "`ovn-appctl -t ovn-controller sb-cluster-state-reset`" in diagnosis_of(result(name, reason)).remedy


def test_wait_for_flows_that_ovn_itself_began_is_told_with_its_releases() -> None:
    """They never come back by themselves there (OVN 621f85e92, reverted by 30f431174)."""
    waiting = result("ovsdb.flow_restore", "flow-restore-wait")
    assert diagnosis_of(waiting).remedy.startswith("Once the flows are back: ")
    by_ovn = replace(waiting, facts={"by_ovn": "itself"})
    assert "24.03.8, 25.03.3, 25.09.3 and 26.03.1" in diagnosis_of(by_ovn).remedy

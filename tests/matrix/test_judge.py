"""What counts as wrong: each way in which an observer may err, and none of those in which it may be late."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.faults.catalogue import FAULTS
from tests.matrix.agents import Agent, Checked, Told
from tests.matrix.expected import Expected
from tests.matrix.judge import judge_agent, judge_check, settled
from tests.matrix.row import Said

DOWN = Expected.of([FAULTS["vswitchd-killed"]])
SOUTHBOUND = Expected.of([FAULTS["southbound-killed"]])


def document(code: str, state: str, *also: str) -> dict[str, Any]:
    return {"state": state, "diagnosis": {"code": code, "also": list(also), "evidence": []}}


def an_agent(
    *codes: str, state: str = "not-ready", livez: str = "503", readyz: str = "503", ended: bool = False
) -> Agent:
    """One that logged these codes, a second apart, and whose endpoints answered so."""
    process = cast("Any", SimpleNamespace(returncode=1 if ended else None))
    found = Agent(process, codes=[Told(float(at), code) for at, code in enumerate(codes, start=1)])
    found.document = document(codes[-1], state)
    found.livez = [Told(at + 5.0, status) for at, status in enumerate(livez.split())]
    found.readyz = [Told(at + 1.0, status) for at, status in enumerate(readyz.split())]
    return found


def judged(agent: Agent, expected: Expected = DOWN, name: str = "held", *, starts: bool = False) -> Said:
    return judge_agent(name, agent, 0.0, 10.0, expected, starts=starts)


def test_right_word_is_right_and_its_time_is_that_of_the_fault() -> None:
    said = judged(an_agent("healthy", "vswitchd-down"))
    assert (said.wrong, said.seconds, said.unproven) == ([], 2.0, 0)


@pytest.mark.parametrize(
    ("agent", "wrong"),
    [
        (an_agent("vswitchd-hung"), "says vswitchd-hung, not vswitchd-down"),
        (an_agent("vswitchd-down", state="degraded"), "is degraded, not not-ready"),
        (an_agent("ovsdb-down", "vswitchd-down"), "showed ovsdb-down on the way"),
        (an_agent("starting", "vswitchd-down"), "showed starting on the way"),
        (an_agent("vswitchd-down", livez="200"), "/ovs/livez did not fail"),
        (an_agent("vswitchd-down", ended=True), "ended with exit code 1"),
    ],
)
def test_wrong_word_is_told(agent: Agent, wrong: str) -> None:
    assert any(each.startswith(wrong) for each in judged(agent).wrong)


def test_late_answer_is_no_false_word() -> None:
    assert not judged(an_agent("vswitchd-slow", "vswitchd-down")).wrong


def test_start_of_a_daemon_may_be_told_where_one_started() -> None:
    assert not judged(an_agent("starting", "vswitchd-down"), starts=True).wrong


def test_liveness_that_fails_without_a_proof_is_counted() -> None:
    said = judged(an_agent("southbound-down", state="degraded", livez="200 503", readyz="200"), SOUTHBOUND)
    assert (said.unproven, said.wrong) == (1, ["/ovs/livez failed without a proof"])


def test_fresh_agent_that_passes_before_it_fails_would_make_readyz_flap() -> None:
    said = judged(an_agent("vswitchd-down", readyz="503 200 503"), name="fresh")
    assert said.wrong == ["/readyz passed before it failed: a restarted agent would flap"]


def test_other_fault_of_a_pair_must_stand_beside_the_root() -> None:
    both = Expected.of([FAULTS["controller-killed"], FAULTS["vswitchd-killed"]])
    assert judged(an_agent("vswitchd-down"), both).wrong == ["does not name controller-down beside it"]


def test_check_has_its_exit_code() -> None:
    right = Checked(document("vswitchd-down", "not-ready"), 1, 0.5, "")
    assert not judge_check(right, DOWN).wrong
    assert judge_check(Checked(right.document, 0, 0.5, ""), DOWN).wrong == ["exit code 0, not 1"]


def test_check_that_refuses_to_ask_needs_no_document() -> None:
    assert not judge_check(
        Checked({}, 2, 0.5, "The file is missing."),
        Expected.of([FAULTS["database-over-tls-with-files-that-are-missing"]]),
    ).wrong


def test_agent_is_settled_when_liveness_has_followed() -> None:
    assert settled(an_agent("vswitchd-down"), DOWN)
    assert not settled(an_agent("vswitchd-down", livez="200"), DOWN)

"""What is wrong with what an observer said."""

from __future__ import annotations

from tests.faults.verdicts import VERDICTS
from tests.matrix.agents import Agent, Checked, Document
from tests.matrix.expected import Expected
from tests.matrix.row import Said


def settled(agent: Agent, expected: Expected) -> bool:
    """The right code, with what must stand beside it, and ``/ovs/livez`` as it must be."""
    livez = agent.livez[-1].what if agent.livez else ""
    beside = {agent.code, *agent.document.get("diagnosis", {}).get("also", [])}
    named = agent.code in expected.codes and expected.also <= beside
    return agent.ended or (named and livez == ("503" if expected.dead else "200"))


def judge_agent(
    name: str,
    agent: Agent,
    began: float,
    ended: float,
    expected: Expected,
    *,
    injected: float | None = None,
    starts: bool = False,
    stands: bool = True,
) -> Said:
    """``starts``: a daemon started, so ``starting`` is true for a while; until the fault was ``injected`` it always is,
    for that may take a restart. Without ``stands`` the fault is over, and only what was shown in passing is judged."""
    said = _said(name, agent.document)
    said.shown = [told.what for told in agent.codes if told.at >= began]
    said.seconds = _since_when(agent, began, expected)
    if agent.ended:
        said.wrong.append(f"ended with exit code {agent.process.returncode}: {' '.join(agent.errors[-3:])}")
    if agent.errors:
        said.wrong.append(f"printed what is not a log line: {agent.errors[-1]}")
    if stands:
        _judge_document(said, expected)
    true = expected.codes | expected.passing | {"healthy"} | ({"starting"} if starts else set())
    told = [each for each in agent.codes if each.at >= began and each.what not in true]
    told = [each for each in told if not (each.what == "starting" and each.at <= (injected or began))]
    for code, why in {each.what: each.why for each in told if not each.what.endswith("-slow")}.items():
        said.wrong.append(f"showed {code} on the way" + (f" ({why})" if why else ""))
    _judge_probes(said, agent, began, ended, expected, starts=starts, stands=stands)
    return said


def judge_check(checked: Checked, expected: Expected) -> Said:
    """The code, the state and the exit code; a check that refused to ask has no code."""
    said = _said("check", checked.document)
    said.exit_code, said.seconds = checked.exit_code, checked.seconds
    if checked.document or expected.exit_code not in (2, 3):
        _judge_document(said, expected)
    if checked.exit_code != expected.exit_code:
        said.wrong.append(f"exit code {checked.exit_code}, not {expected.exit_code} {checked.errors}".rstrip())
    if "Traceback" in checked.errors:
        said.wrong.append(f"printed a traceback: {checked.errors.splitlines()[-1]}")
    return said


def _said(name: str, document: Document) -> Said:
    found = document.get("diagnosis", {})
    return Said(
        observer=name,
        code=found.get("code", ""),
        state=document.get("state", ""),
        also=list(found.get("also", [])),
        evidence=list(found.get("evidence", [])),
    )


def _judge_document(said: Said, expected: Expected) -> None:
    right = " or ".join(sorted(expected.codes))
    if said.code not in expected.codes:
        beside = ", which it names beside it" if expected.codes & set(said.also) else ""
        said.wrong.append(f"says {said.code or 'nothing'}, not {right}{beside}")
    elif said.state != expected.state.label and len(expected.codes) == 1:
        said.wrong.append(f"is {said.state}, not {expected.state.label}")
    if said.code in expected.codes and (lacking := expected.also - set(said.also)):
        said.wrong.append(f"does not name {', '.join(sorted(lacking))} beside it")
    if blamed := expected.innocent & {said.code, *said.also}:
        said.wrong.append(f"blames {', '.join(sorted(blamed))}")


def _judge_probes(
    said: Said, agent: Agent, began: float, ended: float, expected: Expected, *, starts: bool, stands: bool
) -> None:
    livez = [told for told in agent.livez if began <= told.at <= ended]
    if not expected.dead:
        said.unproven = sum(told.what == "503" and not _proven(agent, told.at, expected) for told in livez)
        if said.unproven:
            said.wrong.append("/ovs/livez failed without a proof")
    elif stands and (not agent.livez or agent.livez[-1].what != "503"):
        said.wrong.append("/ovs/livez did not fail")
    readyz = [told.what for told in agent.readyz if told.at <= ended]
    if said.observer == "fresh" and stands and not (starts and expected.state.serves):
        first = "200" if expected.state.serves else "503"
        if not expected.state.serves and "200" in readyz:
            said.wrong.append("/readyz passed before it failed: a restarted agent would flap")
        if first == "200" and "200" in readyz and "503" in readyz[readyz.index("200") :]:
            said.wrong.append("/readyz failed after it had passed")


def _proven(agent: Agent, at: float, expected: Expected) -> bool:
    """Whether a daemon was dead for a while at that moment, as part of the fault, and the agent said so."""
    code = next((told.what for told in reversed(agent.codes) if told.at <= at), "")
    return code in expected.passing and code in VERDICTS and VERDICTS[code].dead


def _since_when(agent: Agent, began: float, expected: Expected) -> float | None:
    """Seconds after which the right code was there to stay."""
    codes = agent.codes
    if not codes or codes[-1].what not in expected.codes:
        return None
    first = codes[-1].at
    for told in reversed(codes):
        if told.what not in expected.codes:
            break
        first = told.at
    return max(first - began, 0.0)

"""What goes wrong in ovsnet itself is told as that, and no daemon is blamed."""

from __future__ import annotations

import errno
import logging
from types import SimpleNamespace
from typing import cast

import pytest

from ovsnet.errors import OwnLimit
from ovsnet.health.causes import cause_of
from ovsnet.health.checks import own
from ovsnet.health.checks.asking import look_again, run
from ovsnet.health.checks.declaration import CHECKS, Check
from ovsnet.health.checks.result import Answer, Status
from ovsnet.node.components import Socket
from ovsnet.node.descriptors import Descriptors
from ovsnet.node.node import Node
from tests.exhausted import no_descriptor_left


def node() -> Node:
    return cast(
        "Node", SimpleNamespace(clock=lambda: 7.0, faults=set(), daemons={}, settings=SimpleNamespace(switch="on"))
    )


def raising(error: Exception) -> Check:
    async def probe(node: Node) -> Answer:
        raise error

    return Check("x.y", "It holds.", probe, "ovs-vswitchd", Socket.CONTROL, (), 1.0, 0.0)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OwnLimit("ovsnet has no descriptor left."), "self-out-of-descriptors"),
        (OSError(errno.EMFILE, "Too many open files"), "self-out-of-descriptors"),
        (OSError(errno.ENFILE, "Too many open files in system"), "self-out-of-descriptors"),
        (MemoryError(), "self-out-of-memory"),
        (KeyError("x"), "ovsnet-fault"),
        (OSError(errno.EIO, "Input/output error"), "ovsnet-fault"),
        (AssertionError(), "ovsnet-fault"),
        (RecursionError(), "ovsnet-fault"),
    ],
    ids=lambda each: each if isinstance(each, str) else repr(each),
)
async def test_what_leaves_a_probe_becomes_an_unknown_result_with_a_cause(error: Exception, code: str) -> None:
    result = await run(raising(error), node(), {})
    cause = cause_of(result)
    assert result.status is Status.UNKNOWN
    assert cause is not None
    assert (cause.code, cause.state.label, cause.dead) == (code, "degraded", False)
    assert "{" not in cause.remedy_for(result.facts)


async def test_bug_is_told_with_its_place_and_logged_once_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "ovsnet")
    asked = node()
    for _ in range(3):
        result = await run(raising(KeyError("bridges")), asked, {})
    assert "KeyError at test_own.py:" in result.detail
    cause = cause_of(result)
    assert cause is not None
    assert cause.remedy_for(result.facts).startswith("Report it: KeyError at test_own.py:")
    assert len([each for each in caplog.records if each.exc_info]) == 1


def test_bug_in_a_second_look_is_told_as_one() -> None:
    """This node lacks the daemon's settings, so the look raises AttributeError."""
    daemons = {"ovs-vswitchd": DAEMON}
    asked = cast(
        "Node", SimpleNamespace(clock=lambda: 7.0, faults=set(), daemons=daemons, settings=SimpleNamespace(switch="on"))
    )
    result = look_again(raising(KeyError()), asked)
    assert result is not None
    assert (result.status, result.reason) == (Status.UNKNOWN, "internal")


DAEMON = SimpleNamespace(late=True)


async def test_own_descriptors_are_counted() -> None:
    result = await run(CHECKS["self.descriptors"], node(), {})
    assert result.status is Status.OK
    assert 0 < int(result.values["descriptors"]) < int(result.values["limit"])


@pytest.mark.parametrize(("left", "status"), [(own.HANDFUL, Status.OK), (own.HANDFUL - 1, Status.FAILED)])
async def test_fewer_than_a_handful_left_are_a_fault_of_ours_with_its_numbers(
    monkeypatch: pytest.MonkeyPatch, left: int, status: Status
) -> None:
    monkeypatch.setattr(own, "descriptors", lambda pid: Descriptors(64 - left, 64, left))
    result = await run(CHECKS["self.descriptors"], node(), {})
    assert result.status is status
    if status is Status.FAILED:
        cause = cause_of(result)
        assert cause is not None
        assert cause.code == "self-out-of-descriptors"
        assert f"has {64 - left} descriptors open and may have 64" in cause.remedy_for(result.facts)


async def test_no_descriptor_to_count_with_is_the_same_fault() -> None:
    with no_descriptor_left():
        result = await run(CHECKS["self.descriptors"], node(), {})
    assert (result.status, result.reason) == (Status.FAILED, "own-limit")

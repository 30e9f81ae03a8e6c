"""When a chassis connects, probes, gives up and tries again, by a clock of our own."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from ovsnet.bench.storm.chassis import Act, Chassis
from ovsnet.bench.storm.conversation import Subscription

EMPTY = msgspec.Raw(b"{}")


def chassis(*, remotes: int = 1, probe: float = 5.0, now: float = 100.0) -> Chassis:
    return Chassis(1, remotes, probe, Subscription(EMPTY, EMPTY, EMPTY), Random(1), now)


def connect(one: Chassis, now: float) -> None:
    assert one.act(now, 0.0) is Act.CONNECT
    one.connecting(now, register=False)
    one.connected_at(now)


def fail(one: Chassis, now: float) -> float:
    """An attempt that is refused at once; returns when the next one is due."""
    assert one.act(now, 0.0) is Act.CONNECT
    one.connecting(now, register=False)
    one.disconnected(now)
    due_at = one.due_at(now)
    assert due_at is not None
    return due_at


def test_first_attempt_is_at_once_and_backoff_doubles_to_eight_seconds() -> None:
    one, now, waits = chassis(), 100.0, []
    for _ in range(6):
        due_at = fail(one, now)
        waits.append(due_at - now)
        now = due_at
    assert waits == pytest.approx([1, 2, 4, 8, 8, 8])


def test_several_remotes_are_tried_in_turn_the_first_time_without_backoff() -> None:
    one, now, tried, waits = chassis(remotes=3), 100.0, [], []
    for _ in range(6):
        tried.append(one.remote)
        due_at = fail(one, now)
        waits.append(due_at - now)
        now = due_at
    assert sorted(tried[:3]) == [0, 1, 2]
    assert tried[3:] == tried[:3]
    assert waits == pytest.approx([0, 0, 1, 2, 4, 8])


def test_silence_of_an_interval_is_probed_and_of_another_one_is_the_end() -> None:
    one = chassis()
    connect(one, 100.0)
    assert one.due_at(100.0) == pytest.approx(105.0)
    assert one.act(104.9, 0.0) is None
    assert one.act(105.0, 0.0) is Act.PROBE
    assert one.act(109.9, 0.0) is None
    assert one.act(110.0, 0.0) is Act.GIVE_UP


def test_any_byte_is_a_sign_of_life() -> None:
    one = chassis()
    connect(one, 100.0)
    assert one.act(105.0, 0.0) is Act.PROBE
    assert one.act(110.0, 109.9) is None
    assert one.due_at(110.0) == pytest.approx(114.9)


def test_stall_of_our_own_is_not_the_servers() -> None:
    """An answer that waited in the socket while we were held up is heard before the judgement."""
    one = chassis()
    connect(one, 100.0)
    assert one.act(105.0, 0.0) is Act.PROBE
    assert one.act(190.0, 190.0) is None


def test_without_an_interval_there_is_no_probe() -> None:
    one = chassis(probe=0.0)
    connect(one, 100.0)
    assert one.due_at(100.0) is None
    assert one.act(1e6, 0.0) is None


def test_attempt_that_gets_nowhere_is_given_up_after_a_second() -> None:
    one = chassis()
    assert one.act(100.0, 0.0) is Act.CONNECT
    one.connecting(100.0, register=False)
    assert one.due_at(100.0) == pytest.approx(101.0)
    assert one.act(101.0, 0.0) is Act.GIVE_UP


def test_connection_that_lived_long_enough_resets_the_backoff() -> None:
    one = chassis()
    now = 100.0
    for _ in range(3):
        now = fail(one, now)
    connect(one, now)
    one.heard(now + 60)
    one.disconnected(now + 60)
    assert one.due_at(now + 60) == pytest.approx(now + 61)


def test_server_that_becomes_useless_is_left_without_backoff_but_never_one_that_was_useless_before() -> None:
    one = chassis(remotes=2)
    connect(one, 100.0)
    one.synced(101.0)
    first = one.remote
    one.turned_away(150.0)
    assert one.due_at(150.0) == pytest.approx(150.0)
    assert one.remote != first

    other = chassis()
    connect(other, 100.0)
    other.turned_away(100.5)
    assert other.due_at(100.5) == pytest.approx(101.5)


def test_outage_counts_from_the_loss_of_what_was_synced() -> None:
    one = chassis()
    connect(one, 100.0)
    assert one.synced(103.0) is None
    one.disconnected(200.0)
    assert one.synced_at is None
    connect(one, 201.0)
    assert one.synced(204.5) == pytest.approx(4.5)


def test_what_was_seen_last_survives_the_connection() -> None:
    one = chassis()
    connect(one, 100.0)
    assert one.conversation is not None
    one.conversation.since = "11111111-2222-3333-4444-555555555555"
    one.disconnected(110.0)
    assert one.since == "11111111-2222-3333-4444-555555555555"

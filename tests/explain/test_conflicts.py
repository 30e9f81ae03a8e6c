"""Ports that two chassis claim."""

from __future__ import annotations

import pytest

from tests.explain.material import node, told


def moved(ports: list[str], every: float) -> list[tuple[str, float | None]]:
    logs = node()
    for number, port in enumerate(ports):
        at = 120.0 + every * number
        logs[2].say(at, "binding", f"Changing chassis for lport {port} from n2 to n1.")
    logs[2].say(130.0 + every * len(ports) + 100, "memory", "later")
    return [(each.code, each.seconds) for each in told(logs).outages]


def test_port_that_is_taken_back_and_forth_is_claimed_twice() -> None:
    ((code, seconds),) = moved(["lp1"] * 40, 5.0)
    assert code == "chassis-conflict"
    assert seconds == pytest.approx(195.0)


def test_ports_that_come_once_each_are_migrated() -> None:
    assert moved([f"lp{number}" for number in range(40)], 1.0) == []


def test_port_that_comes_back_once_a_day_is_migrated() -> None:
    assert moved(["lp1"] * 10, 86400.0) == []


def test_words_name_the_port_and_the_other_chassis() -> None:
    logs = node()
    for number in range(6):
        logs[2].say(120.0 + number, "binding", f"Changing chassis for lport lp{number % 2} from n2 to n1.")
    found = told(logs)
    (outage,) = found.outages
    assert outage.words == "chassis n1 took port lp0 and 1 more from n2 6 times, which took it back each time"
    assert "iface-id=lp0" in outage.remedy
    assert outage.seconds is None

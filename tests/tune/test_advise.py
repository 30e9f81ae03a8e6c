"""Advice is a value with its arithmetic, and with what the present one would have cost."""

from __future__ import annotations

from ovsnet.tune.advise import Advice, advise
from ovsnet.tune.facts import Facts
from ovsnet.tune.offline import facts_of_values
from ovsnet.tune.stalls import Histogram


def histogram(*stalls: float, quick: int = 1000) -> Histogram:
    found = Histogram()
    for each in (*[0.002] * quick, *stalls):
        found.record(each)
    return found


def of(advices: list[Advice], group: str) -> Advice:
    return next(each for each in advices if each.group == group)


FACTS = facts_of_values(
    [
        ("ovn-remote-probe-interval", "5000"),
        ("ovn-bridge-remote-probe-interval", "5000"),
        ("sb-inactivity-probe", "60000"),
    ],
    ovn=(25, 3),
    ovs=(3, 5),
)


def test_interval_is_three_times_the_p99_stall_for_all_partners_together() -> None:
    stalls = {"southbound": histogram(), "ovn-controller": histogram(*[8.0] * 10)}
    advice = of(advise(FACTS, stalls, every=1.0), "southbound")
    assert set(advice.values.values()) == {24000}
    assert set(advice.values) == {
        "ovn-remote-probe-interval",
        "sb-inactivity-probe",
        "nb-inactivity-probe",
        "northd_probe_interval",
    }
    assert "p99 stall of ovn-controller 8 s" in advice.arithmetic
    assert "x 3 = 24 s" in advice.arithmetic


def test_interval_is_never_below_the_floor() -> None:
    stalls = {"southbound": histogram(), "ovs-vswitchd": histogram()}
    advices = advise(FACTS, stalls, every=1.0)
    assert of(advices, "southbound").values["ovn-remote-probe-interval"] == 5000
    assert of(advices, "openflow").values == {"ovn-bridge-remote-probe-interval": 10000, "bundle-idle-timeout": 10}


def test_unit_is_the_knobs_own_and_dead_knobs_are_not_advised() -> None:
    old = Facts({"ovn-controller": (23, 3), "ovs-vswitchd": (3, 1)}, FACTS.tables)
    advice = of(advise(old, {"ovs-vswitchd": histogram(*[10.0] * 10)}, every=1.0), "openflow")
    assert advice.values == {"ovn-openflow-probe-interval": 30, "bundle-idle-timeout": 30}


def test_cost_counts_stalls_of_one_interval_as_possible_and_of_two_as_certain() -> None:
    stalls = {"southbound": histogram(7.0, 7.0, 12.0, 4.0)}
    advice = of(advise(FACTS, stalls, every=1.0), "southbound")
    (now,) = (cost for cost in advice.now if cost.knob == "ovn-remote-probe-interval")
    assert (now.value, now.certain, now.possible) == (5000, 1, 3)
    (server,) = (cost for cost in advice.now if cost.knob == "sb-inactivity-probe")
    assert (server.certain, server.possible) == (0, 0)
    assert all(cost.certain == cost.possible == 0 for cost in advice.then)


def test_too_few_answers_are_no_ground_for_advice() -> None:
    advice = of(advise(FACTS, {"southbound": histogram(3.0, quick=10)}, every=1.0), "southbound")
    assert not advice.values
    assert "600 answers are needed, and there are 11 of southbound" in advice.arithmetic


def test_nothing_measured_is_said() -> None:
    assert "there are none" in of(advise(FACTS, {}, every=1.0), "southbound").arithmetic

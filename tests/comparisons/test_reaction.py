"""The arithmetic of the peers' probes, which are computed and not run."""

from bench.reaction import KUBE_OVN, OVN_KUBERNETES, Reactions, rows


def test_success_is_seen_at_the_next_look() -> None:
    assert KUBE_OVN.up(0.5) == 2.5
    assert OVN_KUBERNETES.up(1.0) == 60


def test_failure_is_seen_at_the_third_look() -> None:
    assert KUBE_OVN.down(0.5) == 12.5
    assert OVN_KUBERNETES.down(0.0) == 120


def test_hang_costs_who_asks_a_timeout_and_is_never_seen_by_who_does_not() -> None:
    assert OVN_KUBERNETES.hang(0.5) == 155
    assert KUBE_OVN.hang(0.5) == float("inf")


def test_targets_stand_on_the_slowest_rounds() -> None:
    quick = Reactions(
        greeted=[0.001] * 2, served=[0.005, 0.030], unready=[0.005] * 2, down=[0.005] * 2, hung=[3.2, 3.4]
    )
    passed = {row.question: row.passed for row in rows(quick) if row.target is not None}
    assert list(passed.values()) == [False, True, True, True]
    assert not passed["Switch accepts → stage openflow: p99"]

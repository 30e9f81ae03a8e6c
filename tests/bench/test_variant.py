"""How a person writes a variant, and which make no sense."""

from __future__ import annotations

import pytest

from ovsnet.bench.variant import PLAIN, VARIANTS, DaemonName, Variant, require_possible
from ovsnet.errors import UsageError


@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_is_read_back_as_it_is_written(name: str) -> None:
    variant = Variant.parse(name)
    assert Variant.parse(str(variant)) == variant


def test_number_is_what_the_name_is_about() -> None:
    assert Variant.parse("carried-over:2").before == 2
    assert Variant.parse("southbound-down:1.5").southbound_away == 1.5
    assert Variant.parse("ahead:3").ahead == 3.0
    assert Variant.parse("waited").ahead == 0.0
    assert Variant.parse("wait-before-clear:250").settings == {"ovn-ofctrl-wait-before-clear": "250"}
    assert Variant.parse("plain").before == 0
    assert Variant.parse("plain").southbound_away is None


def test_large_number_is_not_written_with_an_exponent() -> None:
    assert Variant.parse("wait-before-clear:60000").settings == {"ovn-ofctrl-wait-before-clear": "60000"}


def test_restart_is_not_over_before_what_it_waits_for() -> None:
    assert Variant.parse("wait-before-clear:8000").lingers == 8.0
    assert Variant.parse("southbound-down:3").lingers == 3.0
    assert Variant.parse("monitor-all").lingers == 0.0


@pytest.mark.parametrize("text", ["", "other", "plain:1", "carried-over:", "carried-over:x",
                                  "carried-over:1.5", "ahead:-1", "southbound-down:nan"])  # fmt: skip
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Variant.parse(text)


@pytest.mark.parametrize(
    ("text", "target", "raft"),
    [
        ("together", "southbound", False),
        ("carried-over", "ovsdb-server", False),
        ("released", "ovs-vswitchd", False),
        ("southbound-down", "southbound", False),
        ("southbound-down", "ovs-vswitchd", True),
    ],
)
def test_variant_that_does_not_fit_the_daemon_is_refused(text: str, target: DaemonName, raft: bool) -> None:
    with pytest.raises(UsageError):
        require_possible(Variant.parse(text), target, raft=raft)


def fits(variant: Variant, target: DaemonName, *, raft: bool) -> bool:
    try:
        require_possible(variant, target, raft=raft)
    except UsageError:
        return False
    return True


def test_plain_fits_everything_and_other_variants_their_own_daemon() -> None:
    targets: tuple[DaemonName, ...] = ("ovs-vswitchd", "ovsdb-server", "ovn-controller", "southbound")
    assert all(fits(PLAIN, target, raft=True) for target in targets)
    assert [target for target in targets if fits(Variant.parse("ahead"), target, raft=False)] == ["ovs-vswitchd"]

"""Every declaration is whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.deploy.tables import knobs_table
from ovsnet.sandbox.node import Sandbox
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.facts import columns_read
from ovsnet.tune.finding import Kind
from ovsnet.tune.knob import (
    READERS,
    Evidence,
    Knob,
    Place,
    Unit,
    at_least,
    duration,
    openflow_seconds,
    openflow_seconds_or_off,
)
from ovsnet.tune.lint import lint
from ovsnet.tune.profiles import PROFILES
from ovsnet.tune.wanted import checked

from .conftest import Tuning

ALL = KNOBS.values()


@pytest.mark.parametrize("knob", ALL, ids=KNOBS)
def test_declaration_says_what_where_and_whence(knob: Knob) -> None:
    assert knob.meaning.endswith(".")
    assert knob.source
    assert knob.default or not knob.consumed
    assert knob.reader in READERS
    assert not knob.zero or knob.zero.endswith(".")
    for name in (*knob.agrees_with, *(knob.replaced_by or ())):
        assert name in KNOBS


OBSERVED = [knob for knob in ALL if knob.evidence is Evidence.OBSERVED]


@pytest.mark.parametrize("knob", OBSERVED, ids=lambda knob: knob.name)
def test_claim_to_be_observed_is_one_of_the_tests_of_effects(knob: Knob) -> None:
    effects = "".join(file.read_text() for file in (Path(__file__).parent / "effects").glob("test_*.py"))
    assert knob.name.replace("-", "_") in effects.replace("-", "_")


@pytest.mark.parametrize("knob", [knob for knob in ALL if knob.place], ids=lambda knob: knob.name)
def test_place_is_one_that_is_read_and_can_be_noted_beside(knob: Knob) -> None:
    assert knob.place is not None
    columns = columns_read(knob.place.database)[knob.place.table]
    assert knob.place.column in columns
    assert "external_ids" in columns


def test_no_two_knobs_share_a_place() -> None:
    places = [knob.place for knob in ALL if knob.place]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("knob", [each for each in ALL if not each.is_flag], ids=lambda knob: knob.name)
def test_bounds_are_what_the_daemon_takes_as_they_are(knob: Knob) -> None:
    low, high = knob.bounds
    assert knob.takes(low) == low
    if knob.unit is not Unit.MILLISECONDS:
        assert knob.takes(high) == high


@pytest.mark.parametrize("knob", [knob for knob in ALL if not knob.zero_is_safe], ids=lambda knob: knob.name)
def test_zero_that_is_not_safe_says_why_and_what_else(knob: Knob) -> None:
    assert knob.zero
    assert knob.unset


@pytest.mark.parametrize("profile", PROFILES)
def test_profile_holds_values_that_its_knobs_take(profile: str) -> None:
    for entry in PROFILES[profile]:
        assert checked(KNOBS[entry.knob], entry.value) == entry.value
        assert entry.source


def test_version_decides_between_since_and_until() -> None:
    openflow, bridge = KNOBS["ovn-openflow-probe-interval"], KNOBS["ovn-bridge-remote-probe-interval"]
    assert [openflow.acts_on(version) for version in ((23, 9, 5), (24, 3), None)] == [True, False, None]
    assert [bridge.acts_on(version) for version in ((24, 3, 9), (24, 9, 0), None)] == [False, True, None]
    assert KNOBS["nb-options-inactivity-probe"].acts_on(None) is False
    assert KNOBS["max-idle"].acts_on(None) is True


def test_floors_and_rounding_are_the_daemons() -> None:
    assert [at_least(1000)(value) for value in (0, 1, 999, 1000, 1001)] == [0, 1000, 1000, 1000, 1001]
    assert [openflow_seconds(value) for value in (0, 1, 999, 4999, 7500)] == [0, 5000, 5000, 5000, 7000]
    assert [openflow_seconds_or_off(value) for value in (0, 180, 999, 1000, 7500)] == [0, 0, 0, 5000, 7000]


def test_duration_is_in_the_unit_people_use() -> None:
    assert [duration(value) for value in (0.5, 60, 180, 60000)] == ["0.5 s", "60 s", "3 min", "16.7 h"]


MAC_AGING_TIME = Knob(
    "mac-aging-time",
    "ovs-vswitchd",
    Place("Open_vSwitch", "Bridge", "other_config", "mac-aging-time"),
    Unit.SECONDS,
    "After how long without a packet from it a MAC address is forgotten.",
    default="300",
    takes=at_least(15),
    bounds=(15, 3600),
    source="lib/mac-learning.c, normalize_idle_time()",
)


async def test_one_declaration_is_all_that_a_knob_needs(
    node: Sandbox, tuning: Tuning, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here of a table that no other knob is in: it is read, judged, written, restored and listed."""
    monkeypatch.setitem(KNOBS, MAC_AGING_TIME.name, MAC_AGING_TIME)
    assert (
        "| `mac-aging-time` (ovs-vswitchd) | Open_vSwitch `Bridge.other_config:mac-aging-time` | s |" in knobs_table()
    )

    async def written() -> str:
        return await node.run("ovs-vsctl", "get", "Bridge", "br-int", "other_config:mac-aging-time")

    await node.run("ovs-vsctl", "--no-wait", "set", "Bridge", "br-int", "other_config:mac-aging-time=5")
    async with tuning(node) as tuner:
        (judged,) = [each for each in lint(await tuner.facts()) if each.knob == "mac-aging-time"]
        assert (judged.kind, judged.instead) == (Kind.BELOW_FLOOR, "mac-aging-time=15")
        assert judged.place == "Bridge.other_config:mac-aging-time of br-int"
        await tuner.set("mac-aging-time=60")
        assert await written() == '"60"\n'
        await tuner.revert()
        assert await written() == '"5"\n'

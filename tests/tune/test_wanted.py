"""What is wanted is checked before anything is asked or written."""

from __future__ import annotations

import pytest

from ovsnet.errors import ConfigError
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.wanted import checked, wanted


def test_later_source_wins() -> None:
    toml = (
        'profile = "openstack"\novn-remote-probe-interval = 70000\nbundle-idle-timeout = 70\novn-monitor-all = true\n'
    )
    found = {each.knob.name: each.value for each in wanted(toml=toml, pairs=["bundle-idle-timeout=80"])}
    assert found["sb-inactivity-probe"] == "60000"
    assert found["ovn-remote-probe-interval"] == "70000"
    assert found["bundle-idle-timeout"] == "80"
    assert found["ovn-monitor-all"] == "true"


def test_profile_of_the_command_line_takes_the_place_of_the_files() -> None:
    found = {each.knob.name: each.value for each in wanted(profile="small", toml='profile = "large"')}
    assert found["ovn-remote-probe-interval"] == "30000"


def test_empty_value_removes() -> None:
    (each,) = wanted(pairs=["n-handler-threads="])
    assert each.value is None


@pytest.mark.parametrize(
    ("knob", "text"),
    [
        ("ovn-remote-probe-interval", "ten"),
        ("ovn-remote-probe-interval", "-1"),
        ("ovn-remote-probe-interval", "1e4"),
        ("ovn-remote-probe-interval", "99999999999"),
        ("ovn-remote-probe-interval", "180"),
        ("ovn-remote-probe-interval", "0"),
        ("ovn-bridge-remote-probe-interval", "7500"),
        ("bundle-idle-timeout", "60000"),
        ("ovn-monitor-all", "1"),
        ("flow-restore-wait", "true"),
        ("election-timer", "1000"),
    ],
)
def test_value_that_is_wrong_or_harmful_is_refused_with_what_the_knob_takes(knob: str, text: str) -> None:
    with pytest.raises(ConfigError, match=knob) as refused:
        checked(KNOBS[knob], text)
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("knob", "text"),
    [("ovn-remote-probe-interval", "0"), ("ovn-remote-probe-interval", "180"), ("flow-restore-wait", "true")],
)
def test_force_permits_what_is_legal_and_harmful(knob: str, text: str) -> None:
    assert checked(KNOBS[knob], text, force=True) == text


def test_force_does_not_make_a_word_a_number() -> None:
    with pytest.raises(ConfigError):
        checked(KNOBS["ovn-remote-probe-interval"], "ten", force=True)


@pytest.mark.parametrize(
    ("toml", "pairs", "word"),
    [
        ("=", [], "TOML"),
        ("", ["ovn-monitor-all"], "knob=value"),
        ("", ["no-such-knob=1"], "no-such-knob"),
        ('profile = "huge"', [], "huge"),
        ("n-handler-threads = [1]", [], "n-handler-threads"),
        ("n-handler-threads = 1.5", [], "n-handler-threads"),
        ("[ovn]\nremote = 1", [], "ovn"),
    ],
)
def test_source_that_cannot_be_used_is_named(toml: str, pairs: list[str], word: str) -> None:
    with pytest.raises(ConfigError) as refused:
        wanted(toml=toml, toml_name="tune.toml", pairs=pairs)
    assert word in f"{refused.value} {refused.value.remedy}"

"""Advice follows the longest silences that were seen, says what rests on them, and is priced both ways."""

from __future__ import annotations

import pytest

from ovsnet.cli.tune_advise import measured
from ovsnet.tune.advise import DAY, Advice, Price, advise
from ovsnet.tune.facts import Facts
from ovsnet.tune.offline import facts_of_reading, facts_of_text
from ovsnet.tune.readers.reading import Reading
from ovsnet.tune.stalls import Histogram

SERVER = "tcp:192.0.2.1:6642"
OTHER = "tcp:192.0.2.2:6642"
QUICK = 0.002
"""Seconds of a round trip. Its p99 times any factor is below every floor."""


Seen = dict[str, dict[str, Histogram]]


def observed(days: float, silences: tuple[float, ...] = (), *, daemon: str = "southbound", peer: str = SERVER) -> Seen:
    """An answer each second, and the silences beside them."""
    stalls = Histogram(observed=days * DAY)
    stalls.record(QUICK, round(days * DAY - sum(silences)))
    for each in silences:
        stalls.record(each)
    return {daemon: {peer: stalls}}


def node(remote: str = SERVER, *, interval: str = "", also: tuple[tuple[str, str], ...] = ()) -> Facts:
    """A chassis of OVN 25.03."""
    set_to = [("ovn-remote-probe-interval", interval)] if interval else []
    pairs = [("ovn-remote", remote), ("system-id", "chassis"), *set_to, *also]
    listed = ", ".join(f'{name}="{value}"' for name, value in pairs)
    return facts_of_text(f"external_ids        : {{{listed}}}\nother_config        : {{}}\n", ovn=(25, 3), ovs=(3, 5))


def of(facts: Facts, stalls: Seen, knob: str = "ovn-remote-probe-interval") -> Advice:
    (found,) = (each for each in advise(facts, stalls, every=1.0) if each.knob == knob)
    return found


PAUSES = tuple(8.0 + number * 6.0 / 59 for number in range(60))
"""Sixty of them, from 8 to 14 s: 0.07 % of a day's questions."""


def test_sixty_pauses_in_a_day_raise_the_interval_to_the_longest() -> None:
    """Half of it drops no connection for certain, and is noticed in half the time: that is for people to weigh."""
    advice = of(node(interval="10000"), observed(1.0, PAUSES))
    assert advice.values == {"ovn-remote-probe-interval": 14000}
    assert advice.then == Price(14.0, 0, 0)
    assert advice.then.noticed == 28.0
    assert advice.now is not None
    assert (advice.now.certain, advice.now.noticed) == (0, 20.0)
    assert 40 <= advice.now.possible <= 50  # 40 are longer than 10 s; those of its bucket count too
    (seen,) = advice.seen
    assert seen.peer == f"southbound at {SERVER}"
    assert seen.longest == 14.0
    assert "the longest of 14 s" in advice.why
    assert "What comes once a week was not seen." in advice.why


def test_the_default_of_five_seconds_counts_where_nothing_is_set() -> None:
    advice = of(node(), observed(1.0, PAUSES))
    assert advice.values == {"ovn-remote-probe-interval": 14000}
    assert advice.now is not None
    assert (advice.now.interval, advice.now.possible) == (5.0, 60)
    assert advice.now.certain >= 40
    assert advice.between is not None
    assert (advice.between.interval, advice.between.certain) == (7.0, 0)


@pytest.mark.parametrize("interval", ["", "5000", "10000", "180000"])
def test_day_without_a_silence_changes_nothing(interval: str) -> None:
    advice = of(node(interval=interval), observed(1.0))
    assert not advice.values
    assert advice.then is None
    assert advice.why.startswith("Keep it: the longest silence in 24 h was 0.002 s.")


def test_one_silence_of_forty_seconds_is_priced() -> None:
    """One disconnect a day, or a minute more until a dead server is noticed."""
    advice = of(node(interval="10000"), observed(1.0, (40.0,)))
    assert advice.values == {"ovn-remote-probe-interval": 40000}
    assert (advice.now, advice.between, advice.then) == (Price(10.0, 1, 1), Price(20.0, 0, 1), Price(40.0, 0, 0))
    assert advice.then is not None
    assert advice.then.noticed == 80.0
    assert advice.why.startswith("1 silence of more than 10 s in 24 h, the longest of 40 s by southbound at")


def test_weekly_compaction_is_seen_only_by_who_watches_for_a_week() -> None:
    watched = of(node(interval="30000"), observed(7.0, (45.0,)))
    assert watched.values == {"ovn-remote-probe-interval": 45000}
    assert "once a week" not in watched.why
    between = of(node(interval="30000"), observed(3.0))
    assert not between.values
    assert between.why.endswith("What comes once a week was not seen.")


def test_value_is_never_lowered_and_the_price_of_a_shorter_one_is_shown_after_a_week() -> None:
    advice = of(node(interval="180000"), observed(7.0, (12.0, 12.0)))
    assert not advice.values
    assert advice.now == Price(180.0, 0, 0)
    assert advice.between == Price(12.0, 0, 0)
    assert of(node(interval="180000"), observed(1.0, (12.0, 12.0))).between is None


def test_too_little_data_says_so() -> None:
    ten_minutes = of(node(interval="10000"), observed(600 / DAY))
    assert not ten_minutes.values
    assert ten_minutes.why.startswith("No silence was longer than 10 s, but 10 min is too little to go by")


def test_silence_that_was_seen_counts_however_short_the_time_was() -> None:
    advice = of(node(interval="5000"), observed(600 / DAY, (12.0,)))
    assert advice.values == {"ovn-remote-probe-interval": 12000}
    assert "a day may show longer ones" in advice.why


def test_nothing_measured_says_how_to_measure() -> None:
    advice = of(node(), {})
    assert not advice.values
    assert advice.why.startswith("No silence of southbound was measured. The agent asks a southbound on another host")


def test_unix_socket_needs_no_probe() -> None:
    stalls = observed(1.0, PAUSES, peer="unix:/run/ovn/ovnsb_db.sock")
    there = of(node("unix:/run/ovn/ovnsb_db.sock", interval="10000"), stalls)
    assert there.values == {"ovn-remote-probe-interval": None}
    assert "needs no probe" in there.why
    unset = of(node("unix:/run/ovn/ovnsb_db.sock"), stalls)
    assert not unset.values
    assert unset.why.endswith("Leave it unset.")


def test_switch_is_on_a_unix_socket_unless_another_is_named() -> None:
    stalls = observed(1.0, (20.0,), daemon="ovs-vswitchd", peer="")
    own = of(node(), stalls, "ovn-bridge-remote-probe-interval")
    assert not own.values
    needless = node(also=(("ovn-bridge-remote-probe-interval", "180000"),))
    assert of(needless, stalls, "ovn-bridge-remote-probe-interval").values == {"ovn-bridge-remote-probe-interval": None}
    far = node(also=(("ovn-bridge-remote", "tcp:192.0.2.7:6653"), ("ovn-bridge-remote-probe-interval", "5000")))
    assert of(far, stalls, "ovn-bridge-remote-probe-interval").values == {
        "ovn-bridge-remote-probe-interval": 20000,
        "bundle-idle-timeout": 20,
    }


def test_servers_are_kept_apart_and_the_slowest_decides() -> None:
    stalls = {"southbound": {**observed(1.0, (7.0,))["southbound"], **observed(1.0, (12.0,), peer=OTHER)["southbound"]}}
    advice = of(node(f"{SERVER},{OTHER}", interval="10000"), stalls)
    assert {each.peer: each.longest for each in advice.seen} == {
        f"southbound at {SERVER}": 7.0,
        f"southbound at {OTHER}": 12.0,
    }
    assert f"by southbound at {OTHER}" in advice.why
    assert advice.values == {"ovn-remote-probe-interval": 12000}


def test_knob_that_is_dead_here_is_not_advised() -> None:
    knobs = {each.knob for each in advise(node(), {}, every=1.0)}
    assert "ovn-openflow-probe-interval" not in knobs
    assert "ovn-bridge-remote-probe-interval" in knobs


def test_server_asks_its_clients_over_the_remotes_that_are_no_unix_sockets() -> None:
    stalls = observed(1.0, (8.0,), daemon="ovn-controller", peer="")
    where = ("OVN_Southbound", "Connection")
    far = Reading("rows", tables={where: [{"target": "ptcp:6642", "inactivity_probe": "5000"}]})
    assert of(facts_of_reading(far), stalls, "sb-inactivity-probe").values == {"sb-inactivity-probe": 8000}
    near = Reading("rows", tables={where: [{"target": "punix:/run/sb.sock", "inactivity_probe": "5000"}]})
    assert of(facts_of_reading(near), stalls, "sb-inactivity-probe").values == {"sb-inactivity-probe": None}


def test_probing_that_is_off_is_advised_to_be_on() -> None:
    advice = of(node(interval="0"), observed(1.0, (2.0,)))
    assert advice.values == {"ovn-remote-probe-interval": 5000}
    assert advice.now is None
    assert "a dead peer is never noticed" in advice.why
    assert not of(node(interval="0"), observed(0.1)).values


def test_status_of_an_older_agent_is_read() -> None:
    document = observed(1.0, PAUSES)["southbound"][SERVER].document()
    del document["observed_seconds"]
    stalls, every = measured({"stalls": {"southbound": document}, "interval_seconds": 1.0})
    (advice,) = (
        each for each in advise(node(interval="10000"), stalls, every=every) if each.knob == "ovn-remote-probe-interval"
    )
    assert advice.values == {"ovn-remote-probe-interval": 14000}
    assert advice.seen[0].observed >= DAY

"""Parts of a bench, and when they begin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ovsnet.bench.echo import Echo
from ovsnet.bench.race import Race, Strategy
from ovsnet.bench.shard import Shard, parse_moment
from ovsnet.errors import UsageError
from ovsnet.io.address import Address


@given(st.integers(0, 10**6), st.integers(1, 200))
def test_parts_add_up_to_the_whole_and_differ_by_one_at_most(whole: int, of: int) -> None:
    parts = [Shard(number, of).part(whole) for number in range(1, of + 1)]
    assert sum(parts) == whole
    assert max(parts) - min(parts) <= 1


def test_shard_is_read_as_it_is_written() -> None:
    assert str(Shard.parse("2/5")) == "2/5"


@pytest.mark.parametrize(("index", "shard"), [("0+1/3", "1/3"), ("2+1/3", "3/3")])
def test_who_counts_from_0_need_not_add(index: str, shard: str) -> None:
    assert Shard.parse(index) == Shard.parse(shard)


@pytest.mark.parametrize("text", ["0/3", "4/3", "3+1/3", "0+2/3", "1", "a/b", "1/0", "-1/2", ""])
def test_impossible_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a shard"):
        Shard.parse(text)


@pytest.mark.parametrize("text", ["1795341600", "2026-11-22T10:00:00", "2026-11-22T11:00:00+01:00"])
def test_moment_is_read_in_every_form(text: str) -> None:
    assert parse_moment(text) == 1795341600.0


def test_now_is_no_moment_to_wait_for() -> None:
    assert parse_moment("now") is None


def test_what_is_no_moment_is_refused() -> None:
    with pytest.raises(UsageError, match="is not a time"):
        parse_moment("tomorrow")


@pytest.mark.parametrize("of", [1, 3, 7])
def test_parts_of_a_bench_add_up_to_it(of: int) -> None:
    shards = [Shard(number, of) for number in range(1, of + 1)]
    race = Race("openflow", Address.parse("unix:/br-int.mgmt"), 10, 100, Strategy.parse("gated"), rate=50.0)
    parts = [race.part(shard) for shard in shards]
    assert [sum(part.clients for part in parts), sum(part.count for part in parts)] == [10, 100]
    assert sum(part.rate or 0 for part in parts) == pytest.approx(50)
    echo = Echo("ovsdb", Address.parse("unix:/db.sock"), connections=8, window=4, count=101)
    halves = [echo.part(shard) for shard in shards]
    assert [sum(part.connections for part in halves), sum(part.count for part in halves)] == [8, 101]
    assert {part.window for part in halves} == {4}

"""The tables of docs/security.md have the rows that the program writes, and each flood has a flooder."""

from __future__ import annotations

import json

import pytest

from bench import flood
from bench.laps.flooder import BLOCKS, PAIRS, Seen
from ovsnet.protocol import jsonrpc


@pytest.mark.parametrize(("begin", "words"), [(flood.FLOODS, flood.WORDS), (flood.STOPS, flood.STOP_WORDS)])
def test_page_has_the_rows_of_the_program(begin: str, words: dict[str, str]) -> None:
    table = flood.PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(flood.END)[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines()[2:]]
    assert rows == list(words.values())


def test_each_flood_has_a_place_and_a_flooder() -> None:
    assert flood.WORDS.keys() == {"rest", *flood.CROWDS, *flood.PLACES}
    assert {kind for kind in flood.PLACES if not kind.startswith("ctl-")} == BLOCKS.keys() | PAIRS.keys()


@pytest.mark.parametrize("kind", PAIRS)
def test_push_is_one_update(kind: str) -> None:
    seen = Seen()
    seen.key, seen.row = b'"1"', b"a0"
    (event,) = jsonrpc.Connection().receive_data(seen.update(PAIRS[kind]()))
    assert isinstance(event, jsonrpc.Notification)
    change = json.loads(bytes(jsonrpc.whole(event.params)))[2]["Open_vSwitch"]["a0"]["modify"]["external_ids"]
    assert change[0] == "map"
    assert len(dict(change[1])) == (300_000 if kind == "db-map" else 1)

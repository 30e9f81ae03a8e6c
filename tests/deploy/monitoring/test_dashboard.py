"""The dashboard as a document; its queries are asked of a real Prometheus in the system tests."""

from __future__ import annotations

import itertools
import json

from ovsnet.deploy.monitoring.dashboard import COLUMNS, dashboard, panels

DOCUMENT = json.loads(dashboard())
PLACES = [panel["gridPos"] for panel in DOCUMENT["panels"]]


def test_every_panel_is_drawn_and_says_what_it_tells() -> None:
    drawn = [panel for panel in DOCUMENT["panels"] if panel["type"] != "row"]
    assert [panel["title"] for panel in drawn] == [panel.title for panel in panels()]
    assert all(panel["description"] and panel["targets"][0]["expr"] for panel in drawn)


def test_no_two_panels_share_an_id_or_a_place() -> None:
    assert len({panel["id"] for panel in DOCUMENT["panels"]}) == len(DOCUMENT["panels"])
    cells = [
        (x, y)
        for place in PLACES
        for x, y in itertools.product(
            range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
        )
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == COLUMNS - 1


def test_every_query_is_of_the_chosen_nodes_alone() -> None:
    for panel in panels():
        assert '{instance=~"$instance"' in panel.query, panel.title


def test_bad_nodes_are_a_table_of_now_and_restarts_are_lines() -> None:
    bad = next(panel for panel in DOCUMENT["panels"] if panel["title"] == "Bad nodes now")
    assert (bad["type"], bad["targets"][0]["format"], bad["targets"][0]["instant"]) == ("table", "table", True)
    (restarts,) = DOCUMENT["annotations"]["list"]
    assert 'ovsnet_daemon_start_time_seconds{instance=~"$instance"}' in restarts["expr"]


def test_thresholds_rise_and_begin_with_none() -> None:
    for panel in panels():
        bounds = [bound for bound, _ in panel.colours if bound is not None]
        assert [bound for bound, _ in panel.colours] == ([None, *sorted(bounds)] if panel.colours else [])

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

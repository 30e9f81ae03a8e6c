"""The page for an incident review, of whatever was measured until then."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ovsnet.bench.race import RaceMeasures
from ovsnet.bench.report import page
from ovsnet.bench.result import Document, Run, Setting
from ovsnet.bench.workload import find


def document(kind: str, latencies: dict[str, Sequence[int]]) -> Document:
    settings: dict[str, Setting] = {"probe_interval": 5.0}
    measures = find(kind).measures(done=1)
    run = Run(kind=kind, name="a <run>", settings=settings, measures=measures, problems=["It ended <early>."])
    for what, values in latencies.items():
        for value in values:
            getattr(measures, what).record(value)
    return Document(command=f"ovsnet bench {kind}", began="2026-01-01", machines=[], seed=3, runs=[run])


@pytest.mark.parametrize("values", [[5], [0], [7, 7], [1, 10**6, 10**9]], ids=str)
def test_few_values_are_drawn_too(values: list[int]) -> None:
    text = page(document("race", {"from_arrival": values, "canary": values})).decode()
    assert text.count("<svg") == 2


@pytest.mark.parametrize("latencies", [{}, {"from_request": []}], ids=str)
def test_run_without_a_value_has_no_plot_and_still_a_page(latencies: dict[str, Sequence[int]]) -> None:
    text = page(document("echo", latencies)).decode()
    assert "<svg" not in text
    assert "done 1" in text


@pytest.mark.parametrize("kind", ["restart", "storm"])
def test_restart_or_storm_that_was_cut_short_at_once_has_a_page(kind: str) -> None:
    assert "done 1" in page(document(kind, {"fault_to_synced": []})).decode()


def test_document_without_a_run_has_a_page() -> None:
    assert b"2026-01-01" in page(Document(command="ovsnet bench race", began="2026-01-01", machines=[]))


def test_text_is_escaped() -> None:
    text = page(document("race", {"from_arrival": [5, 9]})).decode()
    assert "It ended &lt;early&gt;." in text
    assert "<run>" not in text
    assert "<early>" not in text


def test_page_fits_a_telephone_and_a_dark_room() -> None:
    """Whatever is wide scrolls in a box of its own, and both palettes are there."""
    text = page(document("race", {"from_arrival": [5, 9]})).decode()
    assert "<meta name=viewport content=width=device-width>" in text
    assert "prefers-color-scheme:dark" in text
    for tag in ("<table", "<svg"):
        before = [part.rpartition("<div class=")[2] for part in text.split(tag)[:-1]]
        assert all(each.startswith(("wide>", "plot>")) and "</div>" not in each for each in before)


def test_sweep_of_one_interval_has_no_plot_of_what_intervals_cost() -> None:
    text = page(document("storm", {"fault_to_synced": [5 * 10**9]})).decode()
    assert "What each probe interval costs" not in text
    assert text.count("<svg") == 1


def test_clients_that_were_lost_are_the_slowest_of_the_curve() -> None:
    """Ten of twenty were lost: the curve ends in the middle, and the label says so."""
    import numpy as np
    from matplotlib.figure import Figure  # it takes a second, which each test process would spend on collecting

    from ovsnet.bench.report_latency import percentiles

    measures = RaceMeasures(done=10, lost=10)
    for number in range(1, 11):
        measures.from_arrival.record(number * 10**6)
    axes = Figure().subplots()
    percentiles(axes, [Run(kind="race", name="naive", measures=measures)], "from_arrival", of_each=True)
    (line,) = axes.get_lines()
    shares = np.transpose(line.get_path().vertices)[0]
    assert max(shares) == pytest.approx(21 / 11)
    assert line.get_label() == "naive, 10 lost"

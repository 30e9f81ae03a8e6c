"""A workload is one file: command, table, document, report and comparison follow from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from ovsnet.bench import workloads
from ovsnet.bench.workload import find, kinds
from ovsnet.errors import UsageError
from tests.cli.bench_words import quiet, told  # noqa: F401 - a fixture
from tests.cli.conftest import Ovsnet

TOY = '''
"""A workload that rolls dice."""

from dataclasses import dataclass

from ovsnet.bench.histogram import Histogram
from ovsnet.bench.measures import Measures
from ovsnet.bench.option import Option, Whole, Words, rounds
from ovsnet.bench.workload import Figure, OnOwnNodes, Workload

import msgspec


@dataclass(frozen=True)
class Roll:
    dice: int
    colour: str

    @property
    def name(self):
        return f"{self.dice} {self.colour}"

    def settings(self):
        return {"dice": self.dice, "colour": self.colour}

    def operations(self, shard):
        return shard.part(self.dice)


class Rolled(Measures, kw_only=True):
    pips: int = 0
    by_face: dict[str, int] = msgspec.field(default_factory=dict)
    fall: Histogram = msgspec.field(default_factory=Histogram)


def plan(*, dice, colours, rounds, request):
    """Roll dice."""
    return OnOwnNodes(rounds, [Roll(dice, colour) for colour in colours])


async def roll(plan, run, turn):
    turn.begin(run)
    for number in range(turn.shard.part(plan.dice)):
        run.measures.pips += 6
        run.measures.by_face["six"] = run.measures.by_face.get("six", 0) + 1
        run.measures.fall.record(1000 * (number + 1))
        run.measures.done += 1


WORKLOAD = Workload(
    kind="dice",
    options=(
        Option("--dice", Whole(1, 9), "How many.", 4),
        Option("--colour", Words("red", "blue"), "Which.", ("red",), name="colours", many=True),
        rounds(2),
    ),
    settings=(),
    plan=plan,
    measures=Rolled,
    measure=roll,
    columns=lambda run: {"dice": run.name, "pips": str(run.measures.pips)},
    remarks=lambda runs: [f"{len(runs)} rolls in all"],
    figures=(Figure("pips", "", lambda run: run.measures.pips),),
    plots=lambda runs: ["<h2>Dice</h2>"],
)
'''


@pytest.fixture
def dice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One file more in the directory of the workloads."""
    (tmp_path / "dice.py").write_text(TOY)
    monkeypatch.setattr(workloads, "__path__", [*workloads.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "ovsnet.bench.workloads.dice", raising=False)


@pytest.mark.usefixtures("dice")
def test_command_table_document_page_and_comparison_follow_from_one_file(ovsnet: Ovsnet, tmp_path: Path) -> None:
    assert "dice" in ovsnet("bench", "--help").out
    assert all(word in ovsnet("bench", "dice", "--help").out for word in ("Roll dice.", "--colour [red|blue]"))
    assert ovsnet("bench", "dice", "--dice", 10).code == 2

    out, page = tmp_path / "out.json", tmp_path / "page.html"
    asked = ("--dice", 3, "--colour", "red", "--colour", "blue")
    ended = ovsnet("bench", "dice", *asked, "--out", out, "--report", page)
    assert (ended.code, told(ended.err)) == (0, "")
    assert [line.split() for line in ended.out.splitlines()[:3]] == [
        ["dice", "pips"], ["3", "red", "36"], ["3", "blue", "36"],
    ]  # fmt: skip
    assert "4 rolls in all" in ended.out

    runs = json.loads(out.read_bytes())["runs"]
    assert [(run["name"], run["round"]) for run in runs] == [("3 red", 0), ("3 blue", 0), ("3 red", 1), ("3 blue", 1)]
    assert runs[0]["settings"] == {"dice": 3, "colour": "red"}
    assert runs[0]["measures"]["pips"] == 18
    assert all(text in page.read_text() for text in ("<h2>Dice</h2>", "by face six 6", "<td>fall<td>6"))

    compared = ovsnet("bench", "compare", out, out, "--json")
    assert {"pips", "fall p50"} <= {change["figure"] for change in json.loads(compared.out)}


@pytest.mark.usefixtures("dice")
def test_shards_of_it_are_joined(ovsnet: Ovsnet, tmp_path: Path) -> None:
    files = [tmp_path / "1.json", tmp_path / "2.json"]
    for number, file in enumerate(files, start=1):
        assert ovsnet("bench", "dice", "--dice", 5, "--shard", f"{number}/2", "--out", file).code == 0
    ended = ovsnet("bench", "merge", *files, "--out", tmp_path / "all.json", "--json")
    assert ended.code == 0
    assert [run["measures"]["by_face"] for run in json.loads(ended.out)["runs"]] == [{"six": 5}] * 2


def test_every_file_declares_the_workload_of_its_name() -> None:
    assert list(kinds()) == ["churn", "echo", "race", "restart", "storm"]
    assert [find(kind).kind for kind in kinds()] == list(kinds())


def test_workload_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="There is no workload 'dice'"):
        find("dice")

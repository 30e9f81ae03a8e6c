"""What CONTRIBUTING.md says of the code is true: its recipes run, its words and files exist."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ovsnet.bench.workload import Workload, kinds
from ovsnet.config import Settings
from ovsnet.doctor import EXAMINATIONS, Host, Live, Severity
from ovsnet.health.cause import Cause
from ovsnet.health.checks import CHECKS, Result, Status
from ovsnet.tune.catalogue import KNOBS
from ovsnet.tune.knob import Knob

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
INTERNALS = (ROOT / "docs/internals.md").read_text(encoding="utf-8")
GLOSSARY = dict(re.findall(r"^\* \*\*(\w+)\*\* `([\w.]+)`: ", INTERNALS, re.M))


@dataclass(frozen=True)
class Recipe:
    """``names`` are what its block defines, ``value`` is that of an expression at its end."""

    names: Mapping[str, Any]
    value: object


@pytest.fixture(autouse=True)
def undone() -> Iterator[None]:
    """A recipe registers what it declares; no other test may meet it."""
    checks, examinations = set(CHECKS), set(EXAMINATIONS)
    yield
    for name in CHECKS.keys() - checks:
        del CHECKS[name]
    for name in EXAMINATIONS.keys() - examinations:
        del EXAMINATIONS[name]


def made(title: str) -> Recipe:
    """Run a recipe's block with the names of the file that it says it is of."""
    found = re.search(rf"^\*\*{title}\.\*\*.*?^```python\n# ovsnet/([\w/]+)\.py\n(.*?)^```", PAGE, re.M | re.S)
    assert found is not None
    module = importlib.import_module("ovsnet." + found[1].replace("/", "."))
    names, body = dict(vars(module)), ast.parse(found[2]).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), title, "exec", dont_inherit=True), names)  # annotations become types
    value = eval(compile(ast.Expression(last.value), title, "eval"), names) if isinstance(last, ast.Expr) else None
    return Recipe({name: each for name, each in names.items() if vars(module).get(name) is not each}, value)


def test_check_is_one_decorated_function() -> None:
    made("A check")
    check = CHECKS["vswitchd.coverage"]
    assert (check.component, check.question) == ("vswitchd", "ovs-vswitchd counts its events.")


def test_cause_is_one_row() -> None:
    cause = made("A cause").value
    assert isinstance(cause, Cause)
    assert cause.explains(Result("vswitchd.coverage", Status.FAILED, 0.0, "no-coverage"))
    assert (cause.remedy_for({"pid": "7"}), cause.remedy_for({})) == ("Restart process 7.", "Restart ovs-vswitchd.")


def test_setting_is_one_field() -> None:
    recipe = made("A setting")
    (name,) = recipe.names["__annotations__"]
    field = (name, recipe.names["__annotations__"][name], recipe.names[name])
    extended = msgspec.defstruct("Extended", [field], bases=(Settings,), kw_only=True, frozen=True)
    assert getattr(msgspec.convert({}, extended), name) == 60.0
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({name: 0}, extended)


def test_knob_is_one_entry() -> None:
    knob = made("A knob").value
    assert isinstance(knob, Knob)
    assert knob.name not in KNOBS
    assert str(knob.place) == "Open_vSwitch.other_config:max-idle-packets"


def test_examination_is_one_function(tmp_path: Path) -> None:
    made("An examination")
    examination = EXAMINATIONS["clock.future"]
    assert examination.fact == "The clock is not in the far future."
    (finding,) = examination.findings(Host(tmp_path), Live())
    assert (finding.code, finding.severity) == ("clock.future", Severity.OK)


def test_workload_is_one_declaration() -> None:
    workload = made("A bench workload").names["WORKLOAD"]
    assert isinstance(workload, Workload)
    assert (workload.kind, workload.help.splitlines()[0][-1]) == ("ping", ".")
    assert "ping" not in kinds()


def test_glossary_is_read() -> None:
    assert {"Node", "Check", "Cause", "Diagnosis", "Knob", "Finding"} <= GLOSSARY.keys()


@pytest.mark.parametrize("word", GLOSSARY)
def test_word_of_the_glossary_is_in_the_code(word: str) -> None:
    parts = f"ovsnet.{GLOSSARY[word]}".split(".")
    depth = next(length for length in range(len(parts), 0, -1) if is_module(parts[:length]))
    found: object = importlib.import_module(".".join(parts[:depth]))
    for name in parts[depth:]:
        found = getattr(found, name)


def is_module(parts: list[str]) -> bool:
    path = ROOT.joinpath(*parts)
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_files_and_directories_that_the_page_names_exist() -> None:
    named = set(re.findall(r"\b((?:ovsnet|tests|docs|bench)/[\w/.]*\w)", PAGE))
    assert len(named) > 10
    assert not [path for path in named if not (ROOT / path).exists()]


def test_targets_that_the_page_names_are_in_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert {"test", "lint", "fix", "docs"} <= set(re.findall(r"^    make ([\w-]+)", PAGE, re.M)) <= targets

"""What the forge and the hooks run is what everybody runs by hand."""

from __future__ import annotations

import os
import tomllib
from typing import Any

import pytest
import yaml

from release.pins import SOURCE

FORMS = sorted((SOURCE / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))


def read(path: str) -> Any:
    return yaml.safe_load((SOURCE / path).read_text())


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_forms_ask_for_what_the_node_says(form: Any) -> None:
    body = yaml.safe_load(form.read_text())["body"]
    (question,) = [each for each in body if "ovsnet check --json" in each["attributes"].get("label", "")]
    assert (question["type"], question["validations"]) == ("textarea", {"required": True})
    assert "SECURITY.md" in body[0]["attributes"]["value"]


def test_there_are_forms() -> None:
    assert [path.stem for path in FORMS] == ["bug", "wrong-verdict"]


def test_hook_runs_the_lint_of_the_makefile() -> None:
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert [hook["entry"] for hook in repository["hooks"]] == ["make lint"]


def test_workflow_runs_what_ci_runs_and_may_write_nothing() -> None:
    workflow = read(".github/workflows/ci.yml")
    assert workflow["permissions"] == {"contents": "read"}
    (job,) = workflow["jobs"].values()
    assert job["steps"][-1] == {"run": ".ci/run"}
    assert os.access(SOURCE / ".ci/run", os.X_OK)


def test_project_says_where_it_is() -> None:
    urls = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"]["urls"]
    assert {"Homepage", "Source", "Changelog", "Security"} <= urls.keys()
    spec = (SOURCE / "release/ovsnet.spec").read_text()
    assert f"URL:            {urls['Homepage']}\n" in spec

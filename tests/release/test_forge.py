"""What the forge and the hooks run is what everybody runs by hand."""

from __future__ import annotations

import os
import re
import tomllib
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from release.pins import SOURCE
from tests.golden.names import names

FORMS = sorted((SOURCE / ".github/ISSUE_TEMPLATE").glob("[!c]*.yml"))

RESERVED = {"", "example", "invalid", "localhost", "test"}


def read(path: str) -> Any:
    return yaml.safe_load((SOURCE / path).read_text())


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_forms_ask_for_what_the_node_says(form: Any) -> None:
    body = yaml.safe_load(form.read_text())["body"]
    (question,) = [each for each in body if "ovsnet check --json" in each["attributes"].get("label", "")]
    assert (question["type"], question["validations"]) == ("textarea", {"required": True})
    assert "SECURITY.md" in body[0]["attributes"]["value"]


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.stem)
def test_forms_ask_for_the_archive_that_names_nobody(form: Any) -> None:
    """Not required: where ovsnet itself does not run, there is none."""
    labels = [each["attributes"].get("label", "") for each in yaml.safe_load(form.read_text())["body"]]
    words = [words.split() for label in labels for words in re.findall("`ovsnet (report .*?)`", label)]
    assert words == [["report", "--anonymous"]]
    assert f"flag {' '.join(words[0])}" in names()


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


def test_every_address_of_the_project_leads_somewhere() -> None:
    """As long as it has no home, it names none: a placeholder on an index is taken for one."""
    urls = tomllib.loads((SOURCE / "pyproject.toml").read_text())["project"].get("urls", {})
    assert not [url for url in urls.values() if reserved(urlsplit(url).hostname or "")]
    spec = (SOURCE / "release/ovsnet.spec").read_text()
    assert re.findall(r"^URL: +(.*)$", spec, re.MULTILINE) == [urls[name] for name in ("Homepage",) if name in urls]


def reserved(host: str) -> bool:
    """RFC 2606 and RFC 6761: names that nobody can own."""
    return host.rpartition(".")[2] in RESERVED or re.search(r"(^|\.)example\.(com|net|org)$", host) is not None

"""The tables of README and docs are those of the declarations."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ovsnet.deploy import tables
from ovsnet.health.causes import codes

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
PARTS = ("**Traffic**: ", "**Be sure**: ", "**Do not** ", "**To see it**: ")
RUNBOOK = ROOT / "docs/runbook.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_what_the_declarations_say(page: Path) -> None:
    """When this fails: `make docs`."""
    text = page.read_text(encoding="utf-8")
    assert tables.renewed(text) == text


@pytest.mark.parametrize("name", tables.TABLES)
def test_some_page_shows_every_table(name: str) -> None:
    assert any(f"<!-- {name}: begin -->" in page.read_text(encoding="utf-8") for page in PAGES)


def test_runbook_has_a_whole_section_for_each_code_in_causal_order() -> None:
    text = RUNBOOK.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## ([a-z-]+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert list(sections) == list(codes())
    for code, section in sections.items():
        assert f"<!-- {code}: begin -->" in section
        assert [
            part for part in ("**Traffic**: ", "**Be sure**: ", "**Do not** ", "**To see it**: ") if part not in section
        ] == []


def test_no_link_leads_nowhere() -> None:
    pages = (*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md")
    links = [(page, link) for page in pages for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))]
    assert not [(page.name, link) for page, link in links if "://" not in link and not (page.parent / link).exists()]


def test_a_row_added_to_a_declaration_changes_the_text() -> None:
    text = "<!-- checks: begin -->\nold\n<!-- checks: end -->\nrest\n"
    assert "`openflow.echo`" in tables.renewed(text)
    assert tables.renewed(text).endswith("<!-- checks: end -->\nrest\n")

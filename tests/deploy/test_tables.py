"""The tables of README and docs are those of the declarations."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.deploy import tables

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "docs/knobs.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_page_is_what_the_declarations_say(page: Path) -> None:
    """When this fails: `make docs`."""
    text = page.read_text(encoding="utf-8")
    assert tables.renewed(text) == text


@pytest.mark.parametrize("name", tables.TABLES)
def test_some_page_shows_every_table(name: str) -> None:
    assert any(f"<!-- {name}: begin -->" in page.read_text(encoding="utf-8") for page in PAGES)


def test_a_row_added_to_a_declaration_changes_the_text() -> None:
    text = "<!-- checks: begin -->\nold\n<!-- checks: end -->\nrest\n"
    assert "`openflow.echo`" in tables.renewed(text)
    assert tables.renewed(text).endswith("<!-- checks: end -->\nrest\n")

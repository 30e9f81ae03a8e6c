"""The page of ``ovsnet explain --report`` in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.explain.page import page
from tests.explain.material import of
from tests.system.axe import is_for_everybody
from tests.system.browser import Browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("incident", ["leaders-in-turn", "member-frozen", "switch-away"])
async def test_report_is_for_every_screen_and_for_those_who_see_none(
    browser: Browser, tmp_path: Path, incident: str, width: int, scheme: str
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page(of(incident)), encoding="utf-8")
    tab = await browser.tab(file.as_uri(), width=width, scheme=scheme)
    assert await tab.ask("document.querySelectorAll('svg rect.life > title').length") > 0
    await is_for_everybody(tab, width)
    await tab.screenshot(tmp_path / f"report-{width}-{scheme}.png", whole=True)

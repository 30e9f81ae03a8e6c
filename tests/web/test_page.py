"""``/`` for a person with a browser, and for a person with curl."""

from __future__ import annotations

import base64
import hashlib
import re

from ovsnet.web.endpoints import ENDPOINTS
from tests.web.conftest import Serve

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


async def test_browser_gets_a_page_and_curl_a_list(serve: Serve) -> None:
    async with serve() as served:
        status, body, headers = await served.get("/", **BROWSER)
        assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert body.startswith("<!doctype html>")
        status, body, headers = await served.get("/", Accept="*/*")
        assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
        assert all(path in body for path in ENDPOINTS)


async def test_page_asks_nobody_but_us_and_runs_no_script_but_its_own(serve: Serve) -> None:
    async with serve() as served:
        _, body, headers = await served.get("/", **BROWSER)
    assert not re.search(r"(src|href)=\"?(https?:)?//|@import|url\(", body)
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", body, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


async def test_page_shows_every_part_of_the_document_by_the_names_that_it_has(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        _, body, _ = await served.get("/", **BROWSER)
        document = served.agent.document()
    parts = {"node", "state", "diagnosis", "checks", "timeline", "knobs"}
    assert parts <= document.keys()
    assert all(f"all.{part}" in body for part in parts)


async def test_page_is_not_for_a_stranger_whose_name_resolves_to_us(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.get("/", Host="evil.example", **BROWSER))[0] == 421

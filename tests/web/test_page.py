"""``/`` for a person with a browser, and for a person with curl."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from ovsnet.health.causes import codes
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
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", body)
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", body, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


async def test_page_shows_the_parts_of_the_document_by_the_names_that_they_have(serve: Serve) -> None:
    async with serve() as served:
        served.agent.all_well()
        _, body, _ = await served.get("/", **BROWSER)
        document = served.agent.document()
        remembered = served.agent.history()
    shown = set(re.findall(r"(?<!\.)\b(?:status|history)\.(\w+)", body))
    assert {"node", "diagnosis", "checks", "timeline", "knobs", "events", "components"} <= shown
    assert shown - document.keys() - remembered.keys() == set()


async def test_page_is_small_and_keeps_to_itself(serve: Serve) -> None:
    async with serve() as served:
        _, body, headers = await served.get("/", **BROWSER)
        assert (await served.get("/status"))[2]["Cross-Origin-Resource-Policy"] == "same-origin"
    assert len(body.encode()) <= 30_000
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "require-trusted-types-for 'script'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("code", codes())
async def test_runbook_of_each_code_is_here_and_says_what_traffic_does(serve: Serve, code: str) -> None:
    """The page takes it from there."""
    async with serve() as served:
        status, body, headers = await served.get(f"/runbook/{code}")
    assert (status, headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    assert body.startswith(f"{code}\n")
    assert "<!--" not in body
    assert re.search(r"^\*\*Traffic\*\*: .+$", body, re.MULTILINE)


async def test_there_is_no_other_section_of_the_runbook(serve: Serve) -> None:
    async with serve() as served:
        for name in ("The%20codes", "nonsense", "..%2Fpage.js"):
            assert (await served.get(f"/runbook/{name}"))[0] == 404


async def test_misspelt_code_or_check_is_answered_with_the_one_that_was_meant(serve: Serve) -> None:
    async with serve() as served:
        for path, meant in (("/runbook/vswitchd-hang", "vswitchd-hung"), ("/readyz/openflow.ech", "openflow.echo")):
            status, body, _ = await served.get(path)
            assert (status, body.partition(". ")[2].partition("?")[0]) == (404, f"Did you mean {meant}")


async def test_page_is_not_for_a_stranger_whose_name_resolves_to_us(serve: Serve) -> None:
    async with serve() as served:
        assert (await served.get("/", Host="evil.example", **BROWSER))[0] == 421

"""The page in a real browser, beside a real node: what a person sees while things break, and while the agent does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import statistics
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from ovsnet.health.causes import codes
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import free_ports
from ovsnet.sandbox.supervisor import die_with_parent
from tests.serving import serving
from tests.system.axe import is_for_everybody
from tests.system.browser import Browser, Tab

SEES = "document.documentElement.dataset.state"
STALE = "document.documentElement.classList.contains('stale')"


async def sees(tab: Tab, state: str) -> None:
    await tab.until(f"{SEES} === {state!r} && !{STALE}", state)


async def code(tab: Tab) -> str:
    return str(await tab.ask("document.querySelector('#title code').textContent"))


async def icon(tab: Tab) -> str:
    return str(await tab.ask("decodeURIComponent(document.getElementById('icon').href)"))


@pytest.mark.restored
async def test_fault_shows_while_the_page_is_open_and_goes_by_itself(node: Sandbox, browser: Browser) -> None:
    async with serving(node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        well = await icon(tab)
        pid = node.pid("ovs-vswitchd")
        await node.freeze("ovs-vswitchd")
        await sees(tab, "not-ready")
        assert await code(tab) == "(vswitchd-hung)"
        assert await icon(tab) != well
        await tab.until("document.title.startsWith('✖ not ready: vswitchd-hung')", "the title")
        await tab.until(f"document.getElementById('command').textContent === 'kill -CONT {pid}'", "the command")
        await tab.until("document.getElementById('traffic').textContent.includes('cached flows')", "what traffic does")
        root = await tab.ask("[...document.querySelectorAll('#chain .root b')].map(each => each.textContent)")
        assert root == ["ovs-vswitchd"]
        unasked = "[...document.querySelectorAll('#chain [data-status=skipped]')].map(each => each.innerText).join()"
        await tab.until(f"{unasked}.includes('br-int.mgmt\\n\u2013 not asked')", "what is not asked")
        await node.thaw("ovs-vswitchd")
        await sees(tab, "ready")
        told = "document.getElementById('happened').innerText.includes('vswitchd-hung')"
        await tab.until(told, "the fault, in what happened")
        assert tab.problems == []


@pytest.mark.restored
async def test_fault_that_was_there_before_the_page_was_opened(node: Sandbox, browser: Browser) -> None:
    async with serving(node.rundir) as agent:
        await node.kill("ovn-controller")
        tab = await browser.tab(f"{agent.url}/")
        await tab.until("document.querySelector('#title code')?.textContent === '(controller-down)'", "the diagnosis")
        assert await tab.ask("document.getElementById('runbook').href") == f"{agent.url}/runbook/controller-down"
        assert "# " not in await tab.ask("fetch('runbook/controller-down').then(answer => answer.text())")
        assert tab.problems == []


@pytest.mark.restored
async def test_agent_that_stands_still_turns_the_page_grey_until_it_goes_on(node: Sandbox, browser: Browser) -> None:
    async with serving(node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        live = await icon(tab)
        os.kill(agent.pid, signal.SIGSTOP)
        try:
            await tab.until(STALE, "a grey page")
            await tab.until("document.title.startsWith('no answer since')", "its title")
            await tab.until("document.getElementById('gone').textContent.includes('no answer')", "its header")
            assert await icon(tab) != live
        finally:
            os.kill(agent.pid, signal.SIGCONT)
        await sees(tab, "ready")
        await tab.until(f"decodeURIComponent(document.getElementById('icon').href) === {live!r}", "the icon")


@contextlib.asynccontextmanager
async def agent_at(rundir: Path, port: int) -> AsyncIterator[None]:
    """One that is killed at the end of the block, and has no time to leave in order."""
    argv = [*die_with_parent(), sys.executable, "-m", "ovsnet", "serve"]
    argv += ["--rundir", str(rundir), "--listen", f"127.0.0.1:{port}"]
    process = await asyncio.create_subprocess_exec(*argv, stderr=asyncio.subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        await process.wait()


async def test_page_outlives_the_agent_and_finds_the_next_one(shared_node: Sandbox, browser: Browser) -> None:
    (port,) = free_ports(1)
    async with serving(shared_node.rundir, "--listen", f"127.0.0.1:{port}"):
        tab = await browser.tab(f"http://127.0.0.1:{port}/")
        await sees(tab, "ready")
        assert tab.problems == []
    await tab.until(STALE, "a grey page")
    async with agent_at(shared_node.rundir, port):
        await sees(tab, "ready")
    await tab.until(STALE, "a grey page again")


@pytest.mark.restored
async def test_ten_tabs_of_one_browser_all_see_it_and_the_seventh_does_not_wait(
    node: Sandbox, browser: Browser
) -> None:
    async with serving(node.rundir) as agent:
        first = await browser.tab(f"{agent.url}/")
        tabs = [first, *[await browser.tab_in(first.context, f"{agent.url}/") for _ in range(9)]]
        for tab in tabs:
            await sees(tab, "ready")
        for tab in tabs:
            await tab.until(f"(stream !== null) === {json.dumps(tab is tabs[-1])}", "one stream, of the newest")
        await node.freeze("ovs-vswitchd")
        for tab in tabs:
            await sees(tab, "not-ready")
            assert tab.problems == []


async def test_page_that_is_hidden_asks_nothing(shared_node: Sandbox, browser: Browser) -> None:
    async with serving(shared_node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        assert await tab.ask("stream.readyState") == 1
        hide = "Object.defineProperty(document, 'hidden', {{configurable: true, get: () => {0}}})"
        say = "document.dispatchEvent(new Event('visibilitychange'))"
        await tab.ask(f"{hide.format('true')}; {say}")
        assert await tab.ask("[stream, poll]") == [None, None]
        await tab.ask(f"{hide.format('false')}; {say}")
        await tab.until("stream.readyState === 1", "the stream, once it is seen again")
        await sees(tab, "ready")


async def test_name_of_a_stranger_stays_text(shared_node: Sandbox, browser: Browser) -> None:
    evil = "<img src=x onerror=alert(1)>"
    place = ("open_vswitch", ".", "other_config:max-idle")
    await shared_node.run("ovs-vsctl", "set", *place[:2], f'{place[2]}="{evil}"')
    try:
        async with serving(shared_node.rundir) as agent:
            tab = await browser.tab(f"{agent.url}/")
            await tab.until(f"document.getElementById('knobs').innerText.includes({evil!r})", "the knob")
            assert await tab.ask("document.querySelectorAll('img').length") == 0
            assert tab.problems == []
    finally:
        await shared_node.run("ovs-vsctl", "remove", *place[:2], "other_config", "max-idle")


@pytest.mark.restored
async def test_keyboard_reaches_the_command_and_copies_it(node: Sandbox, browser: Browser) -> None:
    async with serving(node.rundir) as agent:
        await node.freeze("ovs-vswitchd")
        tab = await browser.tab(f"{agent.url}/")
        await tab.until("document.getElementById('command').textContent", "the command")
        reached: list[str] = []
        while "copy" not in reached:
            assert len(reached) < 10, reached
            await tab.press("Tab", 9)
            reached.append(await tab.ask("document.activeElement.id"))
        await tab.press("Enter", 13)
        await tab.until("document.getElementById('copy').textContent === 'Copied'", "the copy")
        assert await tab.ask("document.activeElement.id") == "copy"


async def test_nothing_is_read_aloud_while_nothing_happens(shared_node: Sandbox, browser: Browser) -> None:
    """The seconds that tick are in no live region; axe-core cannot see that."""
    async with serving(shared_node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        await tab.until("history !== null", "the memory of the agent, after which nothing is new")
        await tab.ask(
            "spoken = []; ticked = new Set(); new MutationObserver(() => ticked.add(place('live').textContent))"
            ".observe(place('live'), {childList: true, characterData: true, subtree: true});"
            "for (const each of document.querySelectorAll('[aria-live], [role=status], [role=alert], output'))"
            " new MutationObserver(found => spoken.push(each.id))"
            ".observe(each, {childList: true, characterData: true, subtree: true})"
        )
        await tab.until("ticked.size >= 5", "five ticks of the clock")
        assert await tab.ask("spoken") == []
        assert await tab.ask("place('live').closest('[aria-hidden=true]') !== null")
        assert re.fullmatch(r"● live, \d+\.\d s ago · ovsnet up .+", await tab.ask("place('live').textContent"))


async def test_what_is_typed_shows_as_code_in_every_section(shared_node: Sandbox, browser: Browser) -> None:
    """No backtick is printed, of whatever code."""
    async with serving(shared_node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        for each in codes():
            await tab.ask(f"readTraffic({each!r})")
        printed = "Object.entries(sections).map(([code, text]) => [code, element('p', text).textContent])"
        traffic: dict[str, str] = dict(await tab.ask(printed))
        assert traffic.keys() == codes().keys()
        assert [text for text in traffic.values() if "`" in text or not text.startswith("Traffic: ")] == []


async def test_ports_tunnels_and_databases_are_counted(node: Sandbox, browser: Browser) -> None:
    async with serving(node.rundir, "--interval", "200ms", "--broken-after", "200ms") as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        shown = "document.getElementById('things').innerText"
        await tab.until(f"{shown}.includes('without device 0')", "its ports")
        for each in ("ovsdb.storage", "free ", " GB", "sb.clients", "size "):
            assert each in await tab.ask(shown)
        device_is_gone = ("--", "set", "Interface", "veth9", "type=device-is-gone")
        await node.run("ovs-vsctl", "--no-wait", "add-port", "br-int", "veth9", *device_is_gone)
        await tab.until(f"{shown}.includes('without device 1')", "the port that has no device")
        await tab.until(f"{shown}.includes('veth9')", "its name")


async def test_page_is_one_answer_and_asks_for_what_it_shows_alone(
    shared_node: Sandbox, browser: Browser, record_testsuite_property: Callable[[str, object], None]
) -> None:
    """It waits for nothing before it shows: neither style nor script nor font has an address of its own. How long it
    took to load is in the report of the run (``--junit-xml``); the target is 50 ms, on a machine that does nothing
    else."""
    async with serving(shared_node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/")
        await sees(tab, "ready")
        loaded, took = "performance.getEntriesByType('navigation')[0].loadEventEnd", []
        for _ in range(5):
            await tab.ask("before = true")
            await tab.call("Page.reload")
            took.append(await tab.until(f"typeof before === 'undefined' && {loaded}", "the page again"))
        record_testsuite_property("page_load_milliseconds", statistics.median(took))
        await tab.until("history !== null", "the memory of the agent")
        asked = "performance.getEntriesByType('resource').map(each => new URL(each.name).pathname)"
        first, *others = [path for path in await tab.ask(asked) if path != "/events"]
        assert first == "/history", "the stream has brought the status"
        assert set(others) <= {"/status", "/history"}


@pytest.mark.restored
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
async def test_page_is_for_every_screen_and_for_those_who_see_none(
    node: Sandbox, browser: Browser, tmp_path: Path, width: int, scheme: str
) -> None:
    """In each state, all folds open: no sideways scroll, and axe-core finds nothing."""
    async with serving(node.rundir) as agent:
        tab = await browser.tab(f"{agent.url}/", width=width, scheme=scheme)
        await sees(tab, "ready")
        await fits(tab, width)
        await node.freeze("ovs-vswitchd")
        await sees(tab, "not-ready")
        await fits(tab, width)
        await tab.screenshot(tmp_path / f"page-{width}-{scheme}.png", whole=True)
        os.kill(agent.pid, signal.SIGSTOP)
        try:
            await tab.until(STALE, "a grey page")
            await fits(tab, width)
        finally:
            os.kill(agent.pid, signal.SIGCONT)


async def fits(tab: Tab, width: int) -> None:
    await tab.ask("for (const each of document.querySelectorAll('details')) each.open = true")
    await tab.until("document.querySelectorAll('#checks tr').length > 10", "the checks, unfolded")
    await is_for_everybody(tab, width)
    landmarks = "['header', 'main', 'footer'].map(each => document.querySelectorAll('body > ' + each).length)"
    assert await tab.ask(landmarks) == [1, 1, 1]

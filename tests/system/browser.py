"""A real Chromium, Debian's, unpacked in the cache; driven over the DevTools protocol, by its websocket.

https://chromedevtools.github.io/devtools-protocol/ names what is called here.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import os
import re
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp

from ovsnet.sandbox import binaries
from ovsnet.sandbox.supervisor import die_with_parent
from ovsnet.sandbox.waiting import until
from tests.patience import PATIENCE

PACKAGE = "chromium-headless-shell"

_LISTENING = re.compile(r"DevTools listening on (ws://\S+)")

FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--remote-debugging-port=0"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    "--lang=en-GB",
)
"""The sandbox of Chromium is not for root. It is to ask nobody but the page's server."""


class Browser:
    """One process. ``tab`` opens a page of its own window, as a second person at a second desk has one."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._tabs: dict[str, Tab] = {}

    @property
    def problems(self) -> list[str]:
        """Of all tabs."""
        return [problem for tab in self._tabs.values() for problem in tab.problems]

    async def call(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """One command, and its result."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls[number] = answer
        message = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(message | ({"sessionId": session} if session else {}))
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def tab(self, url: str, *, width: int = 1440, height: int = 900, scheme: str = "light") -> Tab:
        """A new one, in a context of its own, which has loaded ``url``."""
        context = (await self.call("Target.createBrowserContext"))["browserContextId"]
        return await self.tab_in(context, url, width=width, height=height, scheme=scheme)

    async def tab_in(
        self, context: str, url: str, *, width: int = 1440, height: int = 900, scheme: str = "light"
    ) -> Tab:
        """One that shares its connections with the others of its context."""
        found = await self.call("Target.createTarget", url="about:blank", browserContextId=context)
        attached = await self.call("Target.attachToTarget", targetId=found["targetId"], flatten=True)
        tab = self._tabs[attached["sessionId"]] = Tab(self, attached["sessionId"], found["targetId"], context)
        for domain in ("Page", "Runtime", "Log", "Audits"):
            await tab.call(f"{domain}.enable")
        await tab.resize(width, height)
        await tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await tab.call("Page.navigate", url=url)
        await tab.until(f"location.href.startsWith({url!r}) && document.readyState === 'complete'", url)
        return tab

    async def listen(self) -> None:
        """Until the browser ends."""
        async for message in self._socket:
            found = json.loads(message.data)
            if "id" in found:
                self._answered(found)
            elif (tab := self._tabs.get(found.get("sessionId", ""))) is not None:
                tab.heard(found["method"], found["params"])

    def _answered(self, found: dict[str, Any]) -> None:
        waiting = self._calls.pop(found["id"])
        if waiting.done():
            return
        if "error" in found:
            waiting.set_exception(AssertionError(f"{found['error']['message']}"))
        else:
            waiting.set_result(found["result"])


class Tab:
    """One page. ``problems`` are what its console, its policy and its scripts have complained about."""

    def __init__(self, browser: Browser, session: str, target: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self.target = target
        self.context = context
        self.problems: list[str] = []

    async def call(self, method: str, **parameters: object) -> dict[str, Any]:
        return await self._browser.call(method, self._session, **parameters)

    def heard(self, method: str, said: dict[str, Any]) -> None:
        """What the browser reports by itself."""
        if method == "Runtime.exceptionThrown":
            details = said["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled":
            self.problems.append(f"console.{said['type']}: {[each.get('value') for each in said['args']]}")
        elif method == "Log.entryAdded":
            self.problems.append(f"{said['entry']['source']}: {said['entry']['text']}")
        elif method == "Audits.issueAdded":
            self.problems.append(json.dumps(said["issue"]))

    async def ask(self, expression: str) -> Any:
        """The value of an expression of JavaScript; of a promise, what it brings."""
        found = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, what: str) -> Any:
        """The value as soon as it is true."""
        deadline = time.monotonic() + PATIENCE
        while not (found := await self.ask(expression)):
            assert time.monotonic() < deadline, f"{what} never came: {await self.text()}"
            await asyncio.sleep(0.05)
        return found

    async def text(self) -> str:
        """All that a person reads."""
        return str(await self.ask("document.title + '\\n' + document.body.innerText"))

    async def resize(self, width: int, height: int) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def press(self, key: str, code: int) -> None:
        """One key, by its name and its number (UI Events, section 4.1)."""
        for kind in ("keyDown", "keyUp"):
            text = {"text": "\r"} if key == "Enter" and kind == "keyDown" else {}
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        found = await self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(found["data"]))


@contextlib.asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Headless, with a profile that goes with the block."""
    with tempfile.TemporaryDirectory(prefix="ovsnet-browser-", ignore_cleanup_errors=True) as directory:
        log = Path(directory, "log")
        process = _spawn(Path(directory), log)

        def address() -> str | None:
            assert process.poll() is None, log.read_text()
            found = _LISTENING.search(log.read_text())
            return found[1] if found else None

        try:
            url = await until(address, PATIENCE, "Chromium never listened.")
            async with aiohttp.ClientSession() as http, http.ws_connect(url, max_msg_size=0) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                try:
                    yield browser
                finally:
                    listening.cancel()
        finally:
            process.kill()
            process.wait(PATIENCE)


def _spawn(directory: Path, log: Path) -> subprocess.Popen[bytes]:
    found = binaries.fetch_packages([PACKAGE])
    root = Path(found.source)
    libraries = [*found.libraries, *(path / "pulseaudio" for path in found.libraries)]
    environment = os.environ | {"LD_LIBRARY_PATH": ":".join(map(str, libraries)), "HOME": str(directory), "TZ": "UTC"}
    program = root / "usr/lib/chromium/chromium-headless-shell"
    argv = [*die_with_parent(), str(program), *FLAGS, f"--user-data-dir={directory / 'profile'}"]
    with log.open("wb") as stream:
        return subprocess.Popen(argv, stderr=stream, stdin=subprocess.DEVNULL, env=environment)

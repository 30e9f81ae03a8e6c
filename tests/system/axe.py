"""Whether a page is for every screen and for those who see none, by axe-core, the checker of accessibility: out of a
wheel that is fetched into the cache, and no part of ovsnet."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile

from ovsnet.errors import UnfitEnvironment
from ovsnet.sandbox.packages import default_cache
from tests.patience import PATIENCE
from tests.system.browser import Tab

REQUIREMENT = (
    "axe-playwright-python==0.1.8 --hash=sha256:fdd263c998388f1a8e67cad02677e612d946248bd44d163be5e8650ea31f95f8\n"
)
INSIDE = "axe_playwright_python/axe.min.js"


def axe() -> str:
    """The script. Raises UnfitEnvironment when pip cannot fetch it."""
    place = default_cache() / "axe"
    if not (wheels := list(place.glob("*.whl"))):
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as wanted:
            wanted.write(REQUIREMENT)
            wanted.flush()
            flags = ["--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes", f"--dest={place}"]
            done = subprocess.run(
                [sys.executable, "-m", "pip", "download", *flags, "-r", wanted.name],
                capture_output=True, text=True, timeout=PATIENCE,
            )  # fmt: skip
        if done.returncode:
            why = f"axe-core cannot be fetched: {done.stderr.strip()[-300:]}"
            raise UnfitEnvironment(why, remedy="pip fetches it: see that it reaches its index.")
        wheels = list(place.glob("*.whl"))
    with zipfile.ZipFile(wheels[0]) as wheel:
        return wheel.read(INSIDE).decode()


async def is_for_everybody(tab: Tab, width: int) -> None:
    """No sideways scroll, not a word in the console, and axe-core finds nothing."""
    assert (wide := await tab.ask("document.documentElement.scrollWidth")) <= width, wide
    assert tab.problems == [], tab.problems
    await tab.ask(axe())
    found = await tab.ask("axe.run().then(found => JSON.stringify(found.violations))")
    assert json.loads(found) == [], found
    tab.problems.clear()  # axe-core's own

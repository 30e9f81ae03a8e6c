"""A newcomer has a line of a log, this directory and a Python: README's first commands find what is wrong."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ovsnet.sandbox.node import Sandbox
from release.wheelhouse import builders
from tests.patience import PATIENCE
from tests.system.image import PYTHON

ROOT = Path(__file__).parents[2]

FIRST = re.compile(r"^## You see `br-int\.mgmt: connection failed`\?$.*?\n((?:^    .+\n)+)", re.MULTILINE | re.DOTALL)
"""The first code below the words of the log."""

OWN_PLACE = "/opt/ovsnet"


async def test_first_commands_of_the_readme_name_the_root_and_its_remedy(
    node: Sandbox,
    wheels: dict[str, Sequence[Path]],
    tmp_path: Path,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    """How long they take is in the report of the run (``--junit-xml``): two minutes are promised. No index is asked:
    what is needed is in a directory."""
    found = FIRST.search((ROOT / "README.md").read_text(encoding="utf-8"))
    assert found is not None
    assert OWN_PLACE in found[1]
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for wheel in (*wheels[PYTHON], *builders(tmp_path / "tools", PYTHON).iterdir()):
        (shelf / wheel.name).symlink_to(wheel)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/python3").symlink_to(f"/usr/bin/python{PYTHON}")
    environment = {
        "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
        "HOME": str(tmp_path),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(shelf),
        "OVS_RUNDIR": str(node.rundir),
        "OVN_RUNDIR": str(node.rundir),
    }
    await node.freeze("ovs-vswitchd")
    began = time.monotonic()
    typed = found[1].replace(OWN_PLACE, str(tmp_path / "ovsnet"))
    shell = await asyncio.create_subprocess_exec(
        "sh", "-ec", typed, cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(PATIENCE):
        out, err = (each.decode() for each in await shell.communicate())
    record_testsuite_property("seconds_to_the_answer", round(time.monotonic() - began, 1))
    answer = out[out.find("vswitchd-") :].splitlines()
    assert shell.returncode == 1, (out, err)
    assert answer[0].startswith("vswitchd-hung: ")
    pid = node.pid("ovs-vswitchd")
    assert answer[1].strip() == f"remedy: Process {pid} is stopped: resume it with `kill -CONT {pid}`."

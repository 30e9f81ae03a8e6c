"""What the runbook has people type to see a fault shows it."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import pytest

from ovsnet.sandbox.node import Sandbox
from tests.cli.conftest import Ovsnet

RUNBOOK = Path(__file__).parents[2] / "docs/runbook.md"

SECTION = re.compile(r"^## (?P<code>[\w-]+)\n(?P<text>(?:(?!## ).*\n)*)", re.MULTILINE)
TO_SEE_IT = re.compile(
    r"^\*\*To see it\*\*: (?:`(?P<before>ovs-vsctl [^`]+)`, then )?"
    r"`ovsnet (?P<words>(?:check|sandbox signal) [^`]+)`(?P<rest>.*)$",
    re.MULTILINE,
)
SAID_INSTEAD = re.compile(r"it says `(?P<code>[\w-]+)`")


def fault(section: re.Match[str], seen: re.Match[str]) -> tuple[str, str, str]:
    """What is typed, of Open vSwitch and of ovsnet, and the code that it shows."""
    instead = SAID_INSTEAD.search(seen["rest"])
    return seen["before"] or "", seen["words"], (instead or section)["code"]


FAULTS = [
    pytest.param(*fault(section, seen), id=section["code"])
    for section in SECTION.finditer(RUNBOOK.read_text(encoding="utf-8"))
    if (seen := TO_SEE_IT.search(section["text"]))
]


@pytest.mark.restored
@pytest.mark.parametrize(("before", "words", "code"), FAULTS)
async def test_fault_of_the_runbook_is_seen(
    node: Sandbox, ovsnet: Ovsnet, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, before: str, words: str, code: str
) -> None:
    monkeypatch.setenv("OVSNET_START_ALLOWANCE", "1ms")  # its daemons started long ago
    for shown, meant in {"/tmp/node": node.directory, "/tmp/empty": tmp_path, "/run/ovn": node.rundir}.items():
        words = words.replace(shown, str(meant))
    if before:
        await node.run(*before.split())
    typed = words.split()
    if typed[0] == "sandbox":
        assert await anyio.to_thread.run_sync(ovsnet, *typed) == (0, "", "")
        typed = ["check"]
    if "--rundir" not in typed:
        typed += ["--rundir", str(node.rundir)]
    ended = await anyio.to_thread.run_sync(ovsnet, *typed)
    assert ended.out.partition(":")[0] == code, ended


def test_runbook_has_such_faults() -> None:
    assert len(FAULTS) > 15

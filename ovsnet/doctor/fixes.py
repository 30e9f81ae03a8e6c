"""What ``ovsnet doctor --fix`` does: two steps that are safe and can be undone. It removes and restarts nothing."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ovsnet.doctor.finding import Finding
from ovsnet.doctor.rundir import LINK, LINK_TARGET

MODPROBE_TIMEOUT = 30.0
"""Seconds. Loading takes milliseconds; a kernel that is out of memory may take its time to refuse."""


@dataclass(frozen=True, slots=True)
class Step:
    """``what`` was tried. When ``done``, ``undo`` takes it back; when not, ``why`` says what stood in the way."""

    what: str
    done: bool
    undo: str = ""
    why: str = ""


class Run(Protocol):
    """Runs a command and returns its exit code and what it said on stderr. Raises OSError, TimeoutExpired."""

    def __call__(self, *command: str) -> tuple[int, str]: ...


def run_command(*command: str) -> tuple[int, str]:
    """Run it for real."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=MODPROBE_TIMEOUT, check=False)
    return done.returncode, done.stderr.strip()


def mend(findings: Iterable[Finding], run: Run = run_command, link: Path = Path(LINK)) -> Iterator[Step]:
    """Take the step for each mendable finding, on this host. Raises nothing: a refusal is a Step."""
    for finding in findings:
        if finding.mendable:
            subject, _, fact = finding.code.partition(".")
            yield load_module(fact, run) if subject == "module" else make_link(link, LINK_TARGET)


def make_link(link: Path, target: str) -> Step:
    """Make a symbolic link and the directories that it lacks, unless anything stands in its place."""
    what = f"make the link {link} -> {target}"
    made: list[Path] = []
    try:
        for parent in reversed(link.parents):
            if not parent.exists():
                parent.mkdir(mode=0o755)
                made.append(parent)
        link.symlink_to(target)
    except OSError as error:
        undo = _undo_directories(made)
        return Step(what, False, undo, f"{error.filename2 or error.filename or link}: {error.strerror}.")
    return Step(what, True, " && ".join(filter(None, (f"rm {link}", _undo_directories(made)))))


def load_module(name: str, run: Run) -> Step:
    """Load a kernel module with modprobe."""
    what = f"load the module {name}"
    try:
        code, said = run("modprobe", name)
    except FileNotFoundError:
        return Step(what, False, why="There is no modprobe here: install kmod, or load it on the host.")
    except (OSError, subprocess.TimeoutExpired) as error:
        return Step(what, False, why=f"modprobe did not run to its end: {error}.")
    if code != 0:
        return Step(what, False, why=f"modprobe refused: {said or f'exit code {code}'}")
    return Step(what, True, undo=f"modprobe -r {name}")


def _undo_directories(made: list[Path]) -> str:
    return "rmdir " + " ".join(map(str, reversed(made))) if made else ""

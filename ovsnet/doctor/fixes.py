"""The fixes that findings carry, for ``ovsnet doctor --fix``. None removes, restarts or overwrites anything."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import msgspec

from ovsnet.doctor.finding import Finding, Repair, refused, repaired

MODPROBE_TIMEOUT = 30.0
"""Seconds. Loading takes milliseconds; a kernel that is out of memory may take its time to refuse."""


class Run(Protocol):
    """Runs a command and returns its exit code and what it wrote to stderr. Raises OSError, TimeoutExpired."""

    def __call__(self, *command: str) -> tuple[int, str]: ...


def run_command(*command: str) -> tuple[int, str]:
    """Run it for real."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=MODPROBE_TIMEOUT, check=False)
    return done.returncode, done.stderr.strip()


def repair(findings: Iterable[Finding]) -> Iterator[Repair]:
    """Apply each finding's own fix, once. Raises nothing: a refusal is a Repair that was not done."""
    for fix in dict.fromkeys(finding.fix for finding in findings if finding.fix is not None):
        yield fix()


class MakeLink(msgspec.Struct, frozen=True):
    """Make a symbolic link and the directories that it lacks, unless anything is there already."""

    link: Path
    target: str

    def __call__(self) -> Repair:
        """Try it once."""
        what = f"make the link {self.link} -> {self.target}"
        made: list[Path] = []
        try:
            for parent in reversed(self.link.parents):
                if not parent.exists():
                    parent.mkdir(mode=0o755)
                    made.append(parent)
            self.link.symlink_to(self.target)
        except OSError as error:
            where = error.filename2 or error.filename or self.link
            return refused(what, f"{where}: {error.strerror}.", _undo_directories(made))
        return repaired(what, " && ".join(filter(None, (f"rm {self.link}", _undo_directories(made)))))


class LoadModule(msgspec.Struct, frozen=True):
    """Load a kernel module with modprobe."""

    name: str
    run: Run = run_command

    def __call__(self) -> Repair:
        """Try it once."""
        what = f"load the module {self.name}"
        try:
            code, said = self.run("modprobe", self.name)
        except FileNotFoundError:
            return refused(what, "There is no modprobe here: install kmod, or load it on the host.")
        except (OSError, subprocess.TimeoutExpired) as error:
            return refused(what, f"modprobe did not finish: {error}.")
        if code != 0:
            return refused(what, f"modprobe refused: {said or f'exit code {code}'}")
        return repaired(what, undo=f"modprobe -r {self.name}")


def _undo_directories(made: list[Path]) -> str:
    return "rmdir " + " ".join(map(str, reversed(made))) if made else ""

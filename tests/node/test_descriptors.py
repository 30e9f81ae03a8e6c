"""How many descriptors a process has left."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ovsnet.node import descriptors as module
from ovsnet.node.descriptors import Descriptors, descriptors

LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units
Max open files            {}                 64                   files
"""


def fake(proc: Path, numbers: list[int], limits: str) -> Path:
    for number in numbers:
        (proc / "7/fd").mkdir(parents=True, exist_ok=True)
        (proc / f"7/fd/{number}").touch()
    (proc / "7/limits").write_text(limits)
    return proc


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A process with three descriptors and nothing to do."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_own_descriptors_are_counted_as_the_kernel_limits_them() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    before = descriptors("self")
    with open(os.devnull):
        after = descriptors("self")
    assert before is not None
    assert after == Descriptors(before.open + 1, limit, before.left - 1)


def test_soft_limit_is_the_one_that_counts(child: subprocess.Popen[bytes]) -> None:
    resource.prlimit(child.pid, resource.RLIMIT_NOFILE, (16, 32))
    found = descriptors(child.pid)
    assert found is not None
    assert found.limit == 16


def test_descriptors_above_a_lowered_limit_leave_the_numbers_below_it_free(tmp_path: Path) -> None:
    proc = fake(tmp_path, [0, 1, 5, 6, 7], LIMITS.format(4))
    assert descriptors(7, proc) == Descriptors(open=5, limit=4, left=2)


def test_none_is_left_when_every_number_below_the_limit_is_taken(tmp_path: Path) -> None:
    proc = fake(tmp_path, [0, 1, 2, 3, 9], LIMITS.format(4))
    assert descriptors(7, proc) == Descriptors(open=5, limit=4, left=0)


@pytest.mark.parametrize("limits", ["", LIMITS.format("unlimited"), LIMITS.format("x")])
def test_unknown_limit_tells_nothing(tmp_path: Path, limits: str) -> None:
    assert descriptors(7, fake(tmp_path, [0], limits)) is None


def test_unreadable_or_missing_process_tells_nothing(tmp_path: Path) -> None:
    assert descriptors(7, tmp_path) is None
    (tmp_path / "7").mkdir()
    (tmp_path / "7/limits").write_text(LIMITS.format(4))
    (tmp_path / "7/fd").touch()
    assert descriptors(7, tmp_path) is None


def test_too_many_to_count_tell_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COUNTED", 3)
    assert descriptors(7, fake(tmp_path, [0, 1, 2, 3], LIMITS.format(4))) is None

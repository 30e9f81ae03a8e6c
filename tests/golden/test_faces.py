"""What other people's scripts, units and dashboards depend on stays as it is, to the letter."""

import subprocess
import sys

import pytest

from tests.golden.faces import FACES, HERE


@pytest.mark.parametrize("name", FACES)
def test_face_is_as_it_was(name: str) -> None:
    """In a process of its own: click remembers the help option of the context that a command first ran in."""
    argv = [sys.executable, "-m", "tests.golden.faces", "--print", name]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=HERE.parents[1])
    assert done.returncode == 0, done.stderr
    assert done.stdout == (HERE / name).read_text(encoding="utf-8")

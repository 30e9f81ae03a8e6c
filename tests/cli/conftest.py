"""The command line in this process, and as a program."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from ovsnet.cli import main


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


Ovsnet = Callable[..., Ended]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person who runs the tests reaches them."""
    for name in list(os.environ):
        if name.startswith(("OVSNET_", "OVS_RUNDIR", "OVN_RUNDIR")):
            monkeypatch.delenv(name)


@pytest.fixture
def ovsnet(capsys: pytest.CaptureFixture[str]) -> Ovsnet:
    """``ovsnet("check", "--json")``, as in a shell. Anything but an exit is a traceback, and fails the test."""

    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        code = exit_.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)

    return run


@pytest.fixture
def program() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start ``ovsnet`` as a process of its own. It is killed when the test has not ended it."""
    with contextlib.ExitStack() as stack:

        def start(*arguments: object) -> subprocess.Popen[str]:
            argv = [sys.executable, "-c", "from ovsnet.cli import main; main()", *map(str, arguments)]
            process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            stack.enter_context(process)
            stack.callback(process.kill)  # it does nothing to one that has ended
            return process

        yield start

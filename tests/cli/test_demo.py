"""``ovsnet demo``: everything is there, and then nothing is."""

import re
import signal
import urllib.request
from pathlib import Path

import pytest

from ovsnet.sandbox.proc import Process, listening_paths
from tests.cli.conftest import Program


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_node_and_agent_are_there_until_a_signal_and_nothing_is_afterwards(
    program: Program, number: signal.Signals
) -> None:
    process = program("demo", "--listen", "127.0.0.1:0")
    assert process.stdout is not None
    said = ""
    while "Ctrl-C" not in said:
        line = process.stdout.readline()
        assert line, process.communicate()
        said += line
    url = said.partition("the agent answers at ")[2].split()[0]
    rundir = Path(said.partition("OVS_RUNDIR=")[2].split()[0])
    pids = [int(path.read_text()) for path in rundir.glob("*.pid")]
    assert len(pids) == 6
    assert int(re.findall(r"kill -STOP (\d+)", said)[0]) in pids
    with urllib.request.urlopen(f"{url}/livez", timeout=30) as response:
        assert response.status == 200

    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err.endswith("Everything is removed.\n")
    assert "Traceback" not in err
    assert not rundir.parent.exists()
    assert not [pid for pid in pids if Process.of(pid)]
    assert not [path for path in listening_paths() if path.startswith(str(rundir.parent))]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_while_it_starts_leaves_nothing(
    program: Program,
    number: signal.Signals,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The signal comes at whatever point of the start it comes."""
    temporary = tmp_path_factory.mktemp("t")
    monkeypatch.setenv("TMPDIR", str(temporary))
    process = program("demo", "--listen", "127.0.0.1:0")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("Starting Open vSwitch and OVN")
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in err
    assert list(temporary.iterdir()) == []
    assert not [path for path in listening_paths() if path.startswith(str(temporary))]

"""What another process reads of a sandbox."""

from pathlib import Path

import pytest

from ovsnet.errors import UsageError
from ovsnet.sandbox import record
from ovsnet.sandbox.daemons import Door, RaftMember
from ovsnet.sandbox.node import Sandbox
from ovsnet.sandbox.proc import Process


def test_settings_are_read_as_written(tmp_path: Path) -> None:
    settings = record.Settings(
        2, True, True, (RaftMember(1, 20001, 20002),), None, False, {"ovn-sb1": Door(20003, True)}
    )
    record.write_settings(tmp_path, settings)
    assert record.read_settings(tmp_path) == settings


def test_later_process_of_a_daemon_replaces_the_earlier(tmp_path: Path) -> None:
    for process in (Process(1, 0.25), Process(2, 0.5)):
        record.write_process(tmp_path, "ovs-vswitchd", process)
    assert record.read_processes(tmp_path) == {"ovs-vswitchd": Process(2, 0.5)}
    assert [path.name for path in tmp_path.iterdir()] == [record.PROCESSES]


@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_directory_without_a_sandbox_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / record.SETTINGS).write_bytes(content)
    with pytest.raises(UsageError, match="no sandbox in") as caught:
        Sandbox.attach(tmp_path)
    assert "sandbox up" in caught.value.remedy

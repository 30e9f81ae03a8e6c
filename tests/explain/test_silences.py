"""Times without a line, and files that are missing between others."""

from __future__ import annotations

import pytest

from tests.explain.material import Log, node, told

HOUR = 3600.0


def notes(*logs: Log | tuple[str, bytes]) -> list[str]:
    return [note.words for note in told(logs).notes]


def busy(log: Log, since: float, until: float, step: float = 10.0) -> Log:
    at = since
    while at < until:
        log.say(at, "memory", "rules:3")
        at += step
    return log


@pytest.mark.parametrize("hours", [1.1, 25.0])
def test_silence_that_is_not_usual_is_noted(hours: float) -> None:
    logs = node()
    for log in logs:
        busy(log, 200.0, 20_000.0)
        busy(log, 20_000.0 + hours * HOUR, 30_000.0 + hours * HOUR)
    found = notes(*logs)
    assert len(found) == 3
    assert found[0].startswith("No line of ")
    assert "from 2023-11-15T03:46:30.000Z to " in found[0]


def test_daemon_that_seldom_speaks_is_not_missed() -> None:
    logs = node()
    for log in logs:
        busy(log, 200.0, 7 * 24 * HOUR, step=5 * HOUR)
    assert notes(*logs) == []


@pytest.mark.parametrize("step", [60.0, 10.0])
def test_file_that_is_missing_between_two_is_noted(step: float) -> None:
    database, switch, controller = node()
    rows = busy(switch, 200.0, 20_000.0, step).text.splitlines(keepends=True)
    third = len(rows) // 3
    files = [
        (name, b"".join(rows[third * number : third * (number + 1)]))
        for number, name in enumerate(("ovs-vswitchd.log.2", "ovs-vswitchd.log.1", "ovs-vswitchd.log"))
    ]
    assert not any("between" in words for words in notes(database, controller, *files))
    found = notes(database, controller, files[0], files[2])
    words = f"{third} lines between ovs-vswitchd.log.2 and ovs-vswitchd.log are missing: is there another file?"
    assert words in found

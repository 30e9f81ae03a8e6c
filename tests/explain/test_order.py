"""Newest first, with labels, and in every form of the journal: the same story, or a sentence."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnet.errors import UnfitEnvironment
from ovsnet.explain.clock import Zone, first_in
from tests.explain.material import Log
from tests.explain.test_files import AWAY, codes, explained

Line = tuple[float, str, str]


def lines() -> list[Line]:
    """Those of a node whose switch was away: when, whose and what, as they came."""
    found = [(path.stem, row) for path in sorted(AWAY.iterdir()) for row in path.read_bytes().splitlines()]
    timed = [(moment.at, who, row.decode()) for who, row in found if (moment := first_in(row, Zone())) is not None]
    return sorted(timed, key=lambda each: each[0])


def to_syslog(row: str) -> str:
    """As a daemon writes it to syslog: without its own time (lib/vlog.c, ``DEFAULT_PATTERN`` of syslog)."""
    return "ovs|" + row.partition("|")[2]


def short_unix(line: Line) -> str:
    return f"{line[0]:.6f} n1 {line[1]}[12]: {to_syslog(line[2])}\n"


def fields(line: Line) -> dict[str, str]:
    at, who, row = line
    sender = {"_HOSTNAME": "n1", "SYSLOG_IDENTIFIER": who, "_PID": "12"}
    return {"__CURSOR": "s=1", "__REALTIME_TIMESTAMP": f"{at * 1e6:.0f}", **sender, "MESSAGE": to_syslog(row)}


FORMS: dict[str, Callable[[Line], str]] = {
    "short-unix": short_unix,
    "json": lambda line: f"{json.dumps(fields(line))}\n",
    "json-sse": lambda line: f"data: {json.dumps(fields(line))}\n\n",
    "json-seq": lambda line: f"\x1e{json.dumps(fields(line))}\n",
    "docker compose": lambda line: f"{line[1]}-1  | {line[2]}\n",
    "coloured": lambda line: f"\x1b[36m{line[1]}-1  | \x1b[0m{line[2]}\n",
}


@pytest.mark.parametrize("back", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_in_either_order_is_the_same_story(form: str, back: bool) -> None:
    written = [FORMS[form](line) for line in lines()]
    found = explained("-", given="".join(written[::-1] if back else written).encode())
    assert codes(found) == ["vswitchd-down"]
    assert not any("went back" in note.words for note in found.notes)


def test_proof_of_a_log_that_is_newest_first_is_where_it_stands() -> None:
    written = [short_unix(line) for line in lines()][::-1]
    found = explained("-", given="".join(written).encode())
    for proof in found.outages[0].proof:
        assert proof.text in written[int(proof.place.rpartition(":")[2]) - 1]


def test_labels_are_found_whatever_the_pieces(tmp_path: Path) -> None:
    text = "Attaching to a, b\n" + "".join(FORMS["docker compose"](line) for line in lines()) * 40
    (tmp_path / "log").write_text(text)
    assert "vswitchd-down" in codes(explained(tmp_path))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("".join(json.dumps(fields(line), indent=8) + "\n" for line in lines()).encode(), "json-pretty"),
        ("".join("".join(f"{k}={v}\n" for k, v in fields(line).items()) + "\n" for line in lines()).encode(), "export"),
        ("\n".join(row for _, _, row in lines()).encode("utf-16"), "is UTF-16"),
    ],
    ids=["json-pretty", "export", "UTF-16"],
)
def test_form_that_is_not_read_is_named(text: bytes, words: str) -> None:
    with pytest.raises(UnfitEnvironment, match=words):
        explained("-", given=text)


def of_members(write: Callable[[int, float, str], str]) -> bytes:
    """Three members of a southbound's cluster that start one after the other and live on."""
    written: list[tuple[float, str]] = []
    for member in range(3):
        log = Log("ovn-sb.log").start(member / 20)
        log.say(member / 20 + 0.01, "raft", "server 8533 is leader for term 2")
        for number in range(1, 20):
            log.say(10.0 * number + member, "memory", "later")
        for row in log.lines:
            moment = first_in(row.encode(), Zone())
            assert moment is not None
            written.append((moment.at, write(member, moment.at, row)))
    return "".join(row for _, row in sorted(written)).encode()


def journal(member: int, at: float, row: str) -> str:
    said = fields((at, "ovsdb-server", row)) | {"_PID": str(100 + member), "_SYSTEMD_UNIT": "ovn-central.service"}
    return f"{json.dumps(said, separators=(',', ':'))}\n"


@pytest.mark.parametrize(
    "write", [journal, lambda member, at, row: f"sb-{member}  | {row}\n"], ids=["journal of one unit", "docker compose"]
)
def test_members_of_a_cluster_in_one_stream_are_no_restarts(write: Callable[[int, float, str], str]) -> None:
    assert codes(explained("-", given=of_members(write))) == []

"""Since when a database's log is due to be compacted, read off files that are made as ovsdb-server makes them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from ovsnet.node.compaction import LEAST, RECORDS, Log, log_of, logs

BEGAN = 1_700_000_000
"""Seconds since 1970: when the first change was made, and one more follows each second."""


def record(magic: str, value: object) -> bytes:
    """As ``ovsdb_log_compose_record`` of ovsdb/log.c writes it."""
    body = json.dumps(value, separators=(",", ":")).encode() + b"\n"
    digest = hashlib.sha1(body, usedforsecurity=False).hexdigest()
    return f"OVSDB {magic} {len(body)} {digest}\n".encode() + body


def written(path: Path, magic: str, compacted: int, changes: Iterable[int]) -> Log:
    """A file of such a kind with so many bytes of data, and changes of so many bytes each."""
    data = {"_date": 1, "_comment": "compacting database online", "NB_Global": {"x": {"name": "d" * compacted}}}
    heads = [data] if magic == "CLUSTER" else [{"name": "OVN_Northbound"}, data]
    dated: list[object] = []
    for number, size in enumerate(changes):
        change = {"_date": (BEGAN + number) * 1000, "NB_Global": {"x": {"name": '"_date":7,' + "c" * size}}}
        dated.append({"term": 1, "index": number, "data": [None, change]} if magic == "CLUSTER" else change)
    path.write_bytes(b"".join(record(magic, each) for each in (*heads, *dated)))
    return log_of(path, "/etc/ovn/ovnnb_db.db", Path("/proc/self"))


@pytest.fixture(params=["JSON", "CLUSTER"])
def magic(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_small_file_is_never_due(tmp_path: Path, magic: str) -> None:
    log = written(tmp_path / "a", magic, 1000, [50_000] * (RECORDS + 50))
    assert (log.due_since, log.size) == (None, os.path.getsize(tmp_path / "a"))
    assert 1000 < log.compacted < 1500
    assert log.free > 0


def test_it_is_due_when_it_outgrew_the_least(tmp_path: Path, magic: str) -> None:
    log = written(tmp_path / "a", magic, 1000, [100_000] * 150)
    assert log.due_since == pytest.approx(BEGAN + LEAST / 100_000, abs=3)


def test_it_is_due_when_it_has_doubled(tmp_path: Path, magic: str) -> None:
    log = written(tmp_path / "a", magic, 8_000_000, [50_000] * 250)
    assert log.due_since == pytest.approx(BEGAN + 160, abs=3)
    assert written(tmp_path / "b", magic, 16_000_000, [50_000] * 250).due_since is None


def test_it_is_due_after_a_hundred_changes_and_no_sooner(tmp_path: Path, magic: str) -> None:
    assert written(tmp_path / "a", magic, 1000, [200_000] * (RECORDS - 1)).due_since is None
    log = written(tmp_path / "b", magic, 1000, [200_000] * (RECORDS + 10))
    assert log.due_since == pytest.approx(BEGAN + RECORDS, abs=1)


def test_garbled_file_is_not_due(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2 * LEAST))
    assert log_of(tmp_path / "a", "a", Path("/proc/self")).due_since is None


def test_the_one_that_is_due_for_longest_is_in_front(tmp_path: Path) -> None:
    for name, size in (("small.db", 10), ("late.db", 60_000), ("early.db", 90_000)):
        written(tmp_path / name, "JSON", 1000, [size] * 200)
        (tmp_path / f".{name}.~lock~").touch()
    opened = [os.open(path, os.O_RDWR) for path in tmp_path.iterdir()]
    try:
        found = logs(os.getpid())
    finally:
        for each in opened:
            os.close(each)
    assert [os.path.basename(each.path) for each in found] == ["early.db", "late.db", "small.db"]
    assert logs(1 << 23) == []

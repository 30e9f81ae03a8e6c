"""What the file of a cluster's member lacks, read off records as ovsdb-server writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovsnet.files import head
from ovsnet.node import member_file
from ovsnet.node.member_file import AT_AN_END, MemberFile
from tests.node.test_compaction import record


def member(*records: object, data: str = "", last: int = 10) -> bytes:
    """A file that was compacted at that index, and what was added since."""
    first = {"server_id": "s", "prev_data": ['"prev_index":99,' + data], "prev_index": last, "local_address": "tcp:a"}
    return b"".join(record("CLUSTER", each) for each in (first, *records))


def entry(index: int) -> dict[str, object]:
    return {"data": [None, {"T": {"x": {"index": 1000}}}], "term": 1, "index": index}


def test_file_with_every_change_lacks_none(tmp_path: Path) -> None:
    file = tmp_path / "ovnsb_db.db"
    file.write_bytes(member({"term": 2}, entry(11), {"commit_index": 11}, entry(12), {"vote": "s", "term": 3}))
    assert MemberFile().look(file) is None


@pytest.mark.parametrize("later", [entry(13), {"commit_index": 12}])
@pytest.mark.parametrize("data", ["", "d" * 3 * AT_AN_END])
def test_change_that_was_not_written_is_named(tmp_path: Path, later: object, data: str) -> None:
    file = tmp_path / "ovnsb_db.db"
    file.write_bytes(member(entry(11), {"commit_index": 11}, later, data=data))
    assert MemberFile().look(file) == 12


def test_entries_that_another_leader_replaced_are_no_gap(tmp_path: Path) -> None:
    file = tmp_path / "ovnsb_db.db"
    file.write_bytes(member(entry(11), entry(12), entry(12), entry(13), {"commit_index": 13}))
    assert MemberFile().look(file) is None


def test_what_is_added_is_read_and_a_file_written_anew_is_whole(tmp_path: Path) -> None:
    file, known = tmp_path / "ovnsb_db.db", MemberFile()
    half = record("CLUSTER", entry(11))
    file.write_bytes(member() + half[:30])
    assert known.look(file) is None
    file.write_bytes(member() + half + record("CLUSTER", {"commit_index": 12}))
    assert known.look(file) == 12
    compacted = tmp_path / "compacted"
    compacted.write_bytes(member(last=12))
    compacted.replace(file)
    assert known.look(file) is None


def test_standalone_file_is_none_of_a_member(tmp_path: Path) -> None:
    file = tmp_path / "conf.db"
    file.write_bytes(record("JSON", {"name": "Open_vSwitch"}) + record("JSON", {"index": 7}))
    assert MemberFile().look(file) is None


def test_file_that_is_being_read_is_not_read_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readers of one position would take a record twice, or find a gap that is none."""
    file, known = tmp_path / "ovnsb_db.db", MemberFile()
    file.write_bytes(member(entry(11), {"commit_index": 11}))
    meanwhile: list[int | None] = []

    def slow(descriptor: int, most: int) -> bytes:
        meanwhile.append(known.look(file))
        return head(descriptor, most)

    monkeypatch.setattr(member_file, "head", slow)
    assert known.look(file) is None
    assert meanwhile
    assert set(meanwhile) == {None}

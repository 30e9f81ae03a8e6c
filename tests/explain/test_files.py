"""Files, archives and pipes: what is what is found by content, and what is broken costs one sentence."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ovsnet.errors import OvsnetError, UnfitEnvironment, UsageError
from ovsnet.explain.answer import Answer
from ovsnet.explain.clock import Zone
from ovsnet.explain.read import explain
from tests.explain.material import LOGS

AWAY = LOGS / "switch-away"


def explained(*paths: Path | str, given: bytes = b"") -> Answer:
    return explain(map(str, paths), io.BytesIO(given), Zone(0, 2026), lambda name, count: None)


def codes(found: Answer) -> list[str]:
    return [each.code for each in found.outages]


def archive(mode: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode=mode) as tar:  # type: ignore[call-overload]
        tar.add(AWAY, "sos/var/log")
    return packed.getvalue()


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, bz2.compress])
def test_compressed_logs_by_any_name(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    for path in AWAY.iterdir():
        (tmp_path / path.stem).write_bytes(pack(path.read_bytes()))
    assert codes(explained(tmp_path)) == ["vswitchd-down"]


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_archive_as_file_and_through_a_pipe(tmp_path: Path, mode: str) -> None:
    (tmp_path / "sos").write_bytes(archive(mode))
    assert codes(explained(tmp_path / "sos")) == ["vswitchd-down"]
    assert codes(explained("-", given=archive(mode))) == ["vswitchd-down"]


def test_log_through_a_pipe() -> None:
    found = explained("-", given=(AWAY / "ovs-vswitchd.log").read_bytes())
    assert codes(found) == ["vswitchd-down"]
    assert found.outages[0].proof[0].place == "standard input:11"


def test_gzip_that_ends_early_says_so_and_gives_what_it_has(tmp_path: Path) -> None:
    whole = gzip.compress((AWAY / "ovs-vswitchd.log").read_bytes())
    (tmp_path / "a.gz").write_bytes(whole[:-20])
    (tmp_path / "b.gz").write_bytes(whole[:5])
    found = explained(tmp_path)
    assert len(found.sources) == 1
    assert sum("ends early" in note.words for note in found.notes) == 2


def test_archive_that_ends_early(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(archive("w")[:6000])
    found = explained(tmp_path, AWAY)
    assert any("ends early" in note.words for note in found.notes)


@pytest.mark.parametrize("text", [b"", b"\x7fELF\0\0\0", b"OVSDB JSON 10 abc\n{}", b"PK\x03\x04", b"hello\n" * 50])
def test_nothing_to_explain_is_one_sentence(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "file").write_bytes(text)
    with pytest.raises(UnfitEnvironment, match="No line of an Open vSwitch or OVN daemon"):
        explained(tmp_path)


def test_missing_file_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no"):
        explained(tmp_path / "nowhere")


def test_what_is_no_log_lies_beside_logs(tmp_path: Path) -> None:
    (tmp_path / "conf.db").write_bytes(b"OVSDB JSON 10 abc\n{}")
    (tmp_path / "fifo.log").symlink_to("/nowhere")
    assert codes(explained(tmp_path, AWAY)) == ["vswitchd-down"]


@pytest.mark.parametrize("seed", range(40))
def test_damaged_archive_is_an_answer_or_a_sentence(seed: int) -> None:
    chosen = random.Random(seed)
    text = bytearray(archive(chosen.choice(["w", "w:gz", "w:xz"])))
    for _ in range(chosen.choice([1, 5, 50])):
        at = chosen.randrange(len(text))
        text[at : at + chosen.randrange(3)] = chosen.choice([b"", b"|", b"\n", b"\0\0", b"9999", bytes(200)])
    with contextlib.suppress(OvsnetError):
        explained("-", given=bytes(text[: chosen.randrange(len(text))] if seed % 2 else text))


@pytest.mark.parametrize("heads", [False, True])
def test_logs_one_after_the_other_through_one_pipe(heads: bool) -> None:
    """As `cat *.log` and `tail -n +1 *.log` print them."""
    given = b"".join(
        (f"==> {path.name} <==\n".encode() if heads else b"") + path.read_bytes() for path in sorted(AWAY.iterdir())
    )
    found = explained("-", given=given)
    assert codes(found) == ["vswitchd-down"]
    assert {each.daemon for each in found.sources} == {"ovs-vswitchd", "ovsdb-server", "ovn-controller"}
    assert not any("went back" in note.words for note in found.notes)


def test_log_whose_name_alone_says_whose_it_is(tmp_path: Path) -> None:
    rows = (AWAY / "ovn-controller.log").read_bytes().splitlines(keepends=True)
    (tmp_path / "ovn-controller.log.1").write_bytes(b"".join(row for row in rows if b"|rconn|" in row))
    assert codes(explained(tmp_path)) == ["vswitchd-down"]

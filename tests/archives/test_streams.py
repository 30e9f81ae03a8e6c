"""Whatever people name is read as what it is, once, and within bounds."""

from __future__ import annotations

import gzip
import io
import lzma
import os
import subprocess
import sys
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from ovsnet.archives.streams import Stream, streams
from ovsnet.errors import UsageError
from ovsnet.files import MOST_DOCUMENT
from tests.unprivileged import UNPRIVILEGED


class Dripping(io.RawIOBase):
    """A pipe that gives three bytes at a time."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        given, self._content = self._content[:3], self._content[3:]
        return given


def read(*paths: Path | str, given: bytes = b"") -> tuple[dict[str, bytes], dict[str, str]]:
    """What each stream held, and what was told."""
    told: dict[str, str] = {}
    found: dict[str, bytes] = {}
    for stream in streams(map(str, paths), Dripping(given), told.__setitem__):  # type: ignore[arg-type]
        found[stream.within or stream.name] = stream.whole(1 << 20) or b""
    return found, told


def packed(mode: str, members: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def test_archive_in_an_archive_through_a_slow_pipe() -> None:
    inner = packed("w:xz", {"logs/a.log.gz": gzip.compress(b"a" * 2000)})
    found, told = read("-", given=packed("w:gz", {"./sos/inner.tar.xz": inner, "b": b"bb"}))
    assert found == {"sos/inner.tar/logs/a.log": b"a" * 2000, "b": b"bb"}
    assert not told


def header(kind: bytes, size: int = 0, at: int = 0) -> bytes:
    """A member's, of this kind, with a byte of one set at ``at``; what it claims to have need not follow."""
    member = tarfile.TarInfo("a")
    member.type, member.size = kind, size
    made = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    if at:
        made[at] = 1
        made[148:156] = b" " * 8  # the checksum counts itself as blanks
        made[148:156] = b"%06o\0 " % sum(made)
    return bytes(made)


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_header_that_claims_megabytes_is_not_read(kind: bytes) -> None:
    """Zeros pack a thousand to one, and the library reads such a header whole."""
    whole = packed("w", {"a.log": b"a"})
    size = 4 * MOST_DOCUMENT
    bomb = whole[:1024] + header(kind, size) + b"9" * size + packed("w", {"b.log": b"b"})
    found, told = read("-", given=gzip.compress(bomb, 1))
    assert found == {"a.log": b"a"}
    assert [*told.values()] == [f"ends early or is damaged: a header claims {size} bytes."]


def test_map_of_a_sparse_file_without_end_is_not_read() -> None:
    bomb = packed("w", {"a.log": b"a"})[:1024] + header(tarfile.GNUTYPE_SPARSE, at=482) + b"1" * 512 * 8
    found, told = read("-", given=bomb)
    assert found == {"a.log": b"a"}
    assert [*told.values()] == ["ends early or is damaged: a sparse file has too many parts."]


def extended(fields: dict[str, str], size: int = 0) -> bytes:
    """The header of a file that has these pax fields (POSIX.1-2001, pax Extended Header)."""
    member = tarfile.TarInfo("b.log")
    member.size, member.pax_headers = size, fields
    return member.tobuf(tarfile.PAX_FORMAT)


PARTS = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9"}
"""A sparse file whose map precedes its data (tar(5))."""


@pytest.mark.parametrize(
    ("bomb", "why"),
    [
        (extended({"GNU.sparse.map": "0," * 500_000 + "0", "GNU.sparse.size": "9"}), "a header claims 1000046 bytes"),
        (extended(PARTS, 1 << 32) + b"99999999\n" + b"0\n1\n" * 200_000, "a sparse file has too many parts"),
        (extended(PARTS, 1 << 32) + b"2\n" + b"1" * 1_000_000, "a header is garbled"),
        (extended({"GNU.sparse.size": "1" * 5000}), "a header is garbled"),
        (b"".join(header(tarfile.GNUTYPE_LONGNAME) for _ in range(3000)), "header follows upon header, and no file"),
    ],
    ids=["map-in-its-header", "map-before-its-data", "number-without-end", "size-of-5000-digits", "header-upon-header"],
)
def test_header_that_goes_on_without_end_is_a_sentence(bomb: bytes, why: str) -> None:
    whole = packed("w", {"a.log": b"a"})[:1024] + bomb
    tracemalloc.start()
    try:
        found, told = read("-", given=gzip.compress(whole, 1))
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()
    assert found == {"a.log": b"a"}
    assert [*told.values()] == [f"ends early or is damaged: {why}."]


def test_holes_without_end_are_not_read() -> None:
    holes = extended({"GNU.sparse.map": "0,2", "GNU.sparse.size": str(1 << 60)}, 2) + b"hi".ljust(512, b"\0")
    found, told = read("-", given=packed("w", {"a.log": b"a"})[:1024] + holes + packed("w", {"c.log": b"c"}))
    assert found == {"a.log": b"a", "c.log": b"c"}
    assert [*told.values()] == [f"is a sparse file of {1 << 60} bytes, which are not read."]


@pytest.mark.parametrize("form", ["posix", "gnu"])
def test_sparse_log_is_read_with_its_holes(tmp_path: Path, form: str) -> None:
    """As ``copytruncate`` of logrotate(8) leaves the log of a daemon that does not append."""
    with (tmp_path / "s.log").open("wb") as file:
        file.seek(1 << 19)
        file.write(b"end")
    command = ["tar", "-C", str(tmp_path), "--sparse", f"--format={form}", "-cf", "-", "s.log"]
    found, told = read("-", given=subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    assert found == {"s.log": bytes(1 << 19) + b"end"}
    assert not told


def test_files_of_an_archive_are_not_kept_in_mind() -> None:
    """The library keeps each header: a gigabyte of a few million empty files that a pipe brings."""
    given = packed("w", {f"{number}.log": b"" for number in range(5000)})
    tracemalloc.start()
    try:
        for _ in streams(["-"], io.BytesIO(given), lambda name, words: None):
            pass
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_file_with_several_names_is_read_once_under_its_own(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/z.log").write_bytes(b"z")
    (tmp_path / "a.log").symlink_to("logs/z.log")
    os.link(tmp_path / "logs/z.log", tmp_path / "logs/zz.log")
    (tmp_path / "gone").symlink_to("nowhere")
    found, told = read(tmp_path, tmp_path / "logs/z.log", tmp_path)
    assert found == {"logs/z.log": b"z"}
    assert not told


def test_directory_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """It seemed to be empty."""
    (tmp_path / "a" / "kept").mkdir(parents=True)
    (tmp_path / "a" / "b.log").write_bytes(b"b")
    (tmp_path / "a" / "kept").chmod(0)
    code = "import sys; from tests.archives.test_streams import read; print(*read(sys.argv[1]))"
    unreading = [each.replace("-dac_override", "-dac_override,-dac_read_search") for each in UNPRIVILEGED]
    command = [*unreading, sys.executable, "-c", code, str(tmp_path / "a")]
    try:
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    finally:
        (tmp_path / "a" / "kept").chmod(0o700)
    assert said == f"{{'b.log': b'b'}} {{'{tmp_path}/a/kept': 'cannot be read: Permission denied.'}}\n"


def test_what_is_no_file_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "endless").symlink_to("/dev/zero")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "a").write_bytes(b"a")
    assert read(tmp_path) == ({"a": b"a"}, {})
    assert read(tmp_path / "fifo") == ({}, {})
    assert "cannot be read" in read(tmp_path / "loop")[1][str(tmp_path / "loop")]
    with pytest.raises(UsageError, match="There is no"):
        read(tmp_path / "b")


@pytest.mark.parametrize("length", [7, 30, 100, 5000])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_stream_that_breaks_off_gives_what_came_before(tmp_path: Path, pack: object, length: int) -> None:
    content = bytes(range(256)) * 4000
    whole = gzip.compress(content, 0) if pack is gzip.compress else lzma.compress(content)
    (tmp_path / "it").write_bytes(whole[:-20] if length == 5000 else whole[:length])
    found, told = read(tmp_path / "it")
    assert content.startswith(b"".join(found.values()))
    assert "ends early or is damaged" in told[str(tmp_path / "it")]


def test_bound_counts_for_what_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "it.gz").write_bytes(gzip.compress(bytes(5 << 20)))

    def whole(most: int) -> bytes | None:
        only: list[Stream] = []
        for stream in streams([str(tmp_path / "it.gz")], io.BytesIO(), lambda name, words: None):
            only.append(stream)
            return stream.whole(most)
        raise AssertionError("no stream")

    assert whole((5 << 20) - 1) is None
    assert len(whole(5 << 20) or b"") == 5 << 20


def test_too_deep_is_a_sentence() -> None:
    given = b"end"
    for _ in range(12):
        given = gzip.compress(given)
    found, told = read("-", given=given)
    assert (found, told) == ({}, {"standard input": "is nested too deep in archives."})

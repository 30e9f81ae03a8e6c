"""The file of an image is what the image-spec says, and the same bytes for the same content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest

from release import oci
from release.archive import settle

EPOCH = 1_700_000_000

RUN = {"User": "65534:65534", "Entrypoint": ["/program"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "tmp").mkdir(parents=True)
    (root / "program").write_text("#!/usr/bin/python3\n")
    (root / "program").chmod(0o755)
    (root / "link").symlink_to("program")
    settle(root, EPOCH)
    return root


def blobs(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        return {name: member.read() for name in archive.getnames() if (member := archive.extractfile(name))}


def written(root: Path, file: Path) -> tuple[str, dict[str, bytes]]:
    digest = oci.write(file, "it:1", [oci.Layer.of(root, "all of it", EPOCH)], "amd64", RUN, EPOCH)
    return digest, blobs(file)


def read(files: dict[str, bytes], described: Any) -> bytes:
    content = files[f"blobs/sha256/{described['digest'].removeprefix('sha256:')}"]
    assert (hashlib.sha256(content).hexdigest(), len(content)) == (described["digest"][7:], described["size"])
    return content


def test_every_blob_is_what_its_digest_says(root: Path, tmp_path: Path) -> None:
    digest, files = written(root, tmp_path / "it.tar")
    (named,) = json.loads(files["index.json"])["manifests"]
    assert (named["digest"], named["annotations"]["org.opencontainers.image.ref.name"]) == (digest, "it:1")
    manifest = json.loads(read(files, named))
    configuration = json.loads(read(files, manifest["config"]))
    assert (configuration["os"], configuration["architecture"], configuration["config"]) == ("linux", "amd64", RUN)
    (layer,) = manifest["layers"]
    plain = gzip.decompress(read(files, layer))
    assert configuration["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(plain).hexdigest()}"]
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    assert len(files) == 5


def test_layer_is_owned_by_root_and_all_may_write_in_tmp(root: Path) -> None:
    layer = gzip.decompress(oci.Layer.of(root, "", EPOCH).packed)
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        members = {member.name: member for member in archive}
    assert {(member.uid, member.gid, member.mtime) for member in members.values()} == {(0, 0, EPOCH)}
    assert (members["tmp"].mode, members["program"].mode, members["link"].linkname) == (0o1777, 0o755, "program")


def test_file_is_the_same_under_another_umask_and_later(root: Path, tmp_path: Path) -> None:
    written(root, tmp_path / "one.tar")
    before = os.umask(0o077)
    try:
        (root / "program").write_text("#!/usr/bin/python3\n")
        settle(root, EPOCH)
        written(root, tmp_path / "other.tar")
    finally:
        os.umask(before)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "other.tar").read_bytes()

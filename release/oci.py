"""A container image as one file: an image layout of the Open Container Initiative (image-spec) in a tar archive.

``podman load``, ``skopeo copy oci-archive:``, ``ctr image import`` and Docker 25 and later read it. The same content
gives the same bytes, and so the same digest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_MEDIA = "application/vnd.oci.image"

STICKY = {"tmp": 0o1777}
"""Directories whose mode differs from what archive.settle() sets."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer of the file system: a gzipped tar archive, and the digest of the archive before compression."""

    comment: str
    packed: bytes
    diff_id: str

    @classmethod
    def of(cls, root: Path, comment: str, epoch: int) -> Layer:
        """From a directory that has been through archive.settle()."""
        plain = _tar(root, epoch)
        return cls(comment, gzip.compress(plain, 6, mtime=0), digest_of(plain))


def write(
    file: Path, name: str, layers: Sequence[Layer], architecture: str, run: Mapping[str, object], epoch: int
) -> str:
    """Write the image ``name``; its digest. ``run`` is its ``config``: user, entry point, environment."""
    created = datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    configuration = _encoded(
        {
            "architecture": architecture,
            "os": "linux",
            "created": created,
            "config": run,
            "rootfs": {"type": "layers", "diff_ids": [layer.diff_id for layer in layers]},
            "history": [{"created": created, "comment": layer.comment} for layer in layers],
        }
    )
    manifest = _encoded(
        {
            "schemaVersion": 2,
            "mediaType": f"{_MEDIA}.manifest.v1+json",
            "config": _described(configuration, "config.v1+json"),
            "layers": [_described(layer.packed, "layer.v1.tar+gzip") for layer in layers],
        }
    )
    named = {"org.opencontainers.image.ref.name": name, "io.containerd.image.name": f"localhost/{name}"}
    index = {
        "schemaVersion": 2,
        "mediaType": f"{_MEDIA}.index.v1+json",
        "manifests": [_described(manifest, "manifest.v1+json") | {"annotations": named}],
    }
    blobs = {f"blobs/sha256/{digest_of(each)[7:]}": each for each in (configuration, manifest)}
    blobs |= {f"blobs/sha256/{digest_of(layer.packed)[7:]}": layer.packed for layer in layers}
    files = {"oci-layout": _encoded({"imageLayoutVersion": "1.0.0"}), "index.json": _encoded(index)} | blobs
    with tarfile.open(file, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content in sorted(files.items()):
            member = tarfile.TarInfo(path)
            member.size, member.mtime = len(content), epoch
            archive.addfile(member, io.BytesIO(content))
    return digest_of(manifest)


def digest_of(content: bytes) -> str:
    """In the notation of the specification."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _described(content: bytes, kind: str) -> dict[str, object]:
    return {"mediaType": f"{_MEDIA}.{kind}", "digest": digest_of(content), "size": len(content)}


def _encoded(document: object) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _tar(root: Path, epoch: int) -> bytes:
    """Owned by root, regardless of the user who builds it; a hard link becomes a copy."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for path in sorted(root.rglob("*")):
            member = tarfile.TarInfo(path.relative_to(root).as_posix())
            member.mtime = epoch
            if path.is_symlink():
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, str(path.readlink()), 0o777
                archive.addfile(member)
            elif path.is_dir():
                member.type, member.mode = tarfile.DIRTYPE, STICKY.get(member.name, 0o755)
                archive.addfile(member)
            else:
                content = path.read_bytes()
                member.size, member.mode = len(content), path.stat().st_mode & 0o777
                archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

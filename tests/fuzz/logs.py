"""What ``ovsnet explain`` reads, nearly right: logs, what lies beside them, and archives of both."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import random
import re
import tarfile
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from ovsnet.cli.explain_text import lines
from ovsnet.errors import OvsnetError
from ovsnet.explain.answer import document
from ovsnet.explain.clock import Zone
from ovsnet.explain.page import page
from ovsnet.explain.read import explain
from tests.explain.beside import CLUSTER, DATABASE, EVENTS, KERNEL, POD
from tests.explain.material import LOGS
from tests.fuzz.inputs import bent

BESIDE = tuple(text.encode() for text in (CLUSTER, DATABASE, EVENTS, KERNEL, POD))
PACKERS: Sequence[Callable[[bytes], bytes]] = (gzip.compress, lzma.compress, bz2.compress)
PLACES = ("ovs-vswitchd.log", "ovn-controller.log.1", "n1/ovsdb-server.log", "n2/ovn-sb.log", "a/b/messages", "x\udcff")
STAMP = re.compile(rb"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d\.\d{3})Z", re.MULTILINE)


async def logs(rng: random.Random, until: float) -> int:
    """An answer, or one sentence."""
    corpus = [path.read_bytes() for path in sorted(LOGS.rglob("*.log"))]
    count = 0
    while time.monotonic() < until:
        count += 1
        places = rng.sample(PLACES, rng.randint(1, 5))
        given = {place: _damaged(rng, rng.choice((*corpus, *BESIDE))) for place in places}
        with tempfile.TemporaryDirectory() as name, contextlib.suppress(OvsnetError):
            found = explain([_put(rng, Path(name), given)], io.BytesIO(), Zone(rng.choice((0, 7200)), 2026), _nobody)
            for line in lines(found):
                assert "\n" not in line, line
            json.dumps(document(found))
            page(found)
    return count


def _nobody(name: str, count: int) -> None:
    """Is told how far it is."""


def _damaged(rng: random.Random, text: bytes) -> bytes:
    rows = text.splitlines(keepends=True)
    match rng.randrange(7):
        case 0:
            rng.shuffle(rows)
        case 1:
            rows = rows[rng.randrange(len(rows)) :]
        case 2:
            rows = rows[: rng.randrange(len(rows) + 1)]
        case 3:
            rows.insert(rng.randrange(len(rows)), rng.randbytes(rng.choice((10, 5000))) + rng.choice((b"\n", b"")))
        case 4:
            rows = [row for row in rows if rng.random() > 0.1] * rng.choice((1, 1, 2))
        case 5:
            rows = [_carried(rng, row) for row in rows]
    return bent(rng, b"".join(rows))


def _carried(rng: random.Random, row: bytes) -> bytes:
    """As a journal or a container's runtime has it, in another zone or in none."""
    if rng.random() < 0.5:
        return STAMP.sub(rb"\1 \2 n1 ovs-vswitchd[7]: ovs", row)
    return json.dumps({"log": row.decode(errors="replace"), "time": "2026-11-25T23:30:03+02:00"}).encode() + b"\n"


def _put(rng: random.Random, place: Path, given: dict[str, bytes]) -> str:
    """A directory of these files, or an archive of them that may end early."""
    if rng.random() < 0.6:
        for name, text in given.items():
            path = place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rng.choice(PACKERS)(text) if rng.random() < 0.2 else text)
        return str(place)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for name, text in given.items():
            member = tarfile.TarInfo(f"sos/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    whole = rng.choice(PACKERS)(packed.getvalue()) if rng.random() < 0.5 else packed.getvalue()
    path = place / "archive"
    path.write_bytes(whole[: rng.randrange(len(whole))] if rng.random() < 0.4 else bent(rng, whole))
    return str(path)

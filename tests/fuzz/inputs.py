"""Bytes that are nearly right: what a real peer sends, bent by a seeded hand."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from typing import Any

TOKENS: Sequence[bytes] = (
    *(b"\0", b"\r\n", b"\n", b"\xff\xfe", b"\x1b]0;x\x07", "\u202e".encode(), b"%00", b"../", b"\\u0000", b"\\ud834"),
    *(b"-1", b"0", b"4294967296", b"9" * 400, b"1e999", b"NaN", b"null", b"[]", b"{}", b"[" * 2000, b'{"a":' * 2000),
    *(b'"', b"'", b"=", b",", b";", b":", b"#", b"[", b"]", b"{", b"}", b"chunked", b"Content-Length: 5\r\n"),
)


def bent(rng: random.Random, data: bytes) -> bytes:
    """A few places changed, cut, doubled or filled with what hurts parsers."""
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at = rng.randrange(len(data) + 1)
        to = min(len(data), at + rng.choice((0, 1, 2, 8, 64)))
        what = rng.choice((b"", rng.randbytes(rng.choice((1, 3))), rng.choice(TOKENS), data[at:to] * 3))
        data = data[:at] + what + data[to:]
    return data


def bent_json(rng: random.Random, value: Any, depth: int = 0) -> Any:
    """The same of a document: here and there another type, another name, one member less."""
    if rng.random() < 0.03:
        return rng.choice(
            (None, True, -1, 2**70, 1e300, "", "\x1b]0;x\x07\u202e", "x" * 5000, [], {}, [[]], ["map", 1], ["uuid", 5])
        )
    if isinstance(value, dict):
        found = {key: bent_json(rng, each, depth + 1) for key, each in value.items() if rng.random() > 0.01}
        return found | ({"odd\n": []} if rng.random() < 0.02 else {})
    if isinstance(value, list):
        return [bent_json(rng, each, depth + 1) for each in value if rng.random() > 0.01] * rng.choice(
            (1, 1, 1, 1, 1, 1, 2)
        )
    return value


def encoded(rng: random.Random, value: Any) -> bytes:
    """As bytes, sometimes bent once more."""
    text = json.dumps(value).encode()
    return bent(rng, text) if rng.random() < 0.1 else text

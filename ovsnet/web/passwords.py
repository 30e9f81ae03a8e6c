"""Passwords of which a file holds only a hash.

The hash is scrypt (RFC 7914), in the notation of PHC strings, which other programs write, too:

    $scrypt$ln=14,r=8,p=5$SALT$HASH

It is meant to be costly: with these numbers, 16 MiB and a fifth of a second of a core. A client sends its password with
each request, and a stranger as many wrong ones as it likes. So

1. a hash is made in a thread, one at a time; the event loop goes on, and so do the probes;
2. after a wrong one the next has to wait REST times as long as that took: strangers get a fifth of a core;
3. while MOST_WAITING passwords wait, others are turned away;
4. a password that was right is known from then on, and costs no hash. What is kept is no password: an HMAC with a key
   of this process.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

REST = 4.0

MOST_WAITING = 4

MOST_MEMORY = 1 << 18
MOST_WORK = 1 << 20
"""Of N times r, and of N times r times p: 32 MiB, and a third of a second."""

_PHC = re.compile(r"\$scrypt\$ln=(\d{1,2}),r=(\d{1,5}),p=(\d{1,5})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")


@dataclass(frozen=True, slots=True)
class ScryptHash:
    """What is left of a password. ``cost`` is scrypt's N."""

    cost: int
    block: int
    parallel: int
    salt: bytes
    digest: bytes

    @classmethod
    def parse(cls, text: str) -> ScryptHash:
        """Read the notation above. Raises ValueError, with a sentence, for anything else."""
        if not (found := _PHC.fullmatch(text)):
            raise ValueError("it is not of the form $scrypt$ln=14,r=8,p=5$SALT$HASH")
        log_cost, block, parallel = map(int, found.groups()[:3])
        if log_cost < 1 or block < 1 or parallel < 1:
            raise ValueError("ln, r and p begin at 1")
        cost = 1 << log_cost
        if cost * block > MOST_MEMORY or cost * block * parallel > MOST_WORK:
            raise ValueError("it costs more than 32 MiB or a third of a second: take ln=14,r=8,p=5")
        try:
            made = cls(cost, block, parallel, *(_decoded(each) for each in found.groups()[3:]))
        except binascii.Error as error:
            raise ValueError(f"its salt or its hash is not Base64: {error}") from error
        if len(made.digest) < 16:
            raise ValueError("its hash is shorter than 16 bytes")
        _require_scrypt()
        return made

    def fits(self, password: bytes) -> bool:
        """Whether it is this password's. Takes its time."""
        made = hashlib.scrypt(
            password,
            salt=self.salt,
            n=self.cost,
            r=self.block,
            p=self.parallel,
            maxmem=2 * 128 * MOST_MEMORY,
            dklen=len(self.digest),
        )
        return hmac.compare_digest(made, self.digest)


class Proofs:
    """Which passwords are known to be right."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._right: set[bytes] = set()
        self._under_way: dict[frozenset[bytes], asyncio.Task[None]] = {}
        self._one_at_a_time = asyncio.Lock()
        self._free_at = 0.0

    def holds(self, hashed: str, password: bytes) -> bool:
        """Whether this password has proved to be the one of this hash."""
        return self._mark(hashed, password) in self._right

    async def prove(self, hashes: Iterable[str], password: bytes) -> bool:
        """Find out whether it is the password of one of these, which ``holds`` says afterwards. False: not done, for
        too many wait already."""
        marks = {self._mark(each, password): each for each in hashes}
        if not marks or not self._right.isdisjoint(marks):
            return True
        key = frozenset(marks)
        if key not in self._under_way:  # a browser asks for several things at once
            if len(self._under_way) >= MOST_WAITING:
                return False
            self._under_way[key] = asyncio.create_task(self._in_turn(marks, password))
            self._under_way[key].add_done_callback(lambda _: self._under_way.pop(key))
        # A client that hangs up cancels its request, and must not let the next hash begin beside this one.
        await asyncio.shield(self._under_way[key])
        return True

    async def _in_turn(self, marks: Mapping[bytes, str], password: bytes) -> None:
        async with self._one_at_a_time:
            for mark, hashed in marks.items():
                await asyncio.sleep(self._free_at - time.monotonic())
                began = time.monotonic()
                if await asyncio.to_thread(ScryptHash.parse(hashed).fits, password):
                    self._right.add(mark)
                    return
                now = time.monotonic()
                self._free_at = now + REST * (now - began)

    def _mark(self, hashed: str, password: bytes) -> bytes:
        """With the hash, so that nothing holds for another password that the file gets later."""
        return hmac.digest(self._key, hashed.encode() + b"\0" + password, "sha256")


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _require_scrypt() -> None:
    """An OpenSSL that is confined to what FIPS 140 allows has none."""
    try:
        hashlib.scrypt(b"", salt=b"", n=2, r=1, p=1)
    except (AttributeError, ValueError) as error:
        raise ValueError(f"this Python has no scrypt: {error}") from error

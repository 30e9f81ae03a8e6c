"""A long JSON object that was taken apart while it arrived.

To find one member of an object a decoder walks all of it: of a database's snapshot that is a millisecond for each
megabyte, in one go, and again for each level that is looked into. So what makes an object long is lifted out of it
meanwhile: runs of members of one object at the depth MEMBERS, which in OVSDB are the rows of a table
(``{message {tables {rows``; RFC 7047 section 4.1.6, ``<table-updates>``). What is left is the *outline*, with one
member in the place of each run. It is short, and is decoded as a short message is; the rows come in pieces about as
large as the chunks in which they arrived.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import TypeAlias

import msgspec

MEMBERS = 3
"""The depth at whose objects members are lifted out."""

LONG = 1 << 18
"""Bytes. A shorter object is left whole: to decode it takes less than a millisecond."""

NEXT_MEMBER = b'},"'
"""A member whose value is an object ends, and another one begins: where a run may be cut, behind the brace."""

Lifted: TypeAlias = Mapping[str, "Run"]
"""Runs by the name of the member that is in their place."""


class Run(msgspec.Struct, frozen=True):
    """Members of one object that follow each other. ``cuts`` are where its pieces begin and end, each at a comma."""

    text: bytearray
    cuts: list[int]

    def pieces(self) -> Iterator[bytes]:
        """The members, as objects of some of them each."""
        view = memoryview(self.text)
        for start, end in zip(self.cuts, self.cuts[1:], strict=False):
            yield b"{" + view[start + 1 : end] + b"}"


class LongObject(msgspec.Struct, frozen=True):
    """``text`` is all of it; nothing in it may be changed any more."""

    outline: bytes
    lifted: Lifted
    text: bytearray


class Cuts:
    """Where an object that is arriving can be taken apart."""

    def __init__(self) -> None:
        self._runs: list[list[int]] = []

    def may_cut(self, at: int, *, same_object: bool) -> None:
        """A member ended before ``at``, where a comma follows. With ``same_object`` the object at MEMBERS was not left
        since the last cut."""
        if self._runs and same_object:
            self._runs[-1].append(at)
        else:
            self._runs.append([at])

    def take_apart(self, text: bytearray) -> LongObject | None:
        """``text`` is the whole object. None when there is nothing to lift out. Then all is forgotten."""
        runs, self._runs = [cuts for cuts in self._runs if len(cuts) > 1], []
        if not runs:
            return None
        kept = [
            bytes(text[start:end])
            for start, end in zip([0, *(cuts[-1] for cuts in runs)], [*(cuts[0] for cuts in runs), None], strict=True)
        ]
        # No peer can send a member of such a name: it would have to know the digest of what it is about to send.
        digest = hashlib.sha256(b"".join(kept)).hexdigest()
        lifted = {f"lifted-{digest}-{number}": Run(text, cuts) for number, cuts in enumerate(runs)}
        outline = kept[0] + b"".join(
            b',"%b":null%b' % (name.encode(), after) for name, after in zip(lifted, kept[1:], strict=True)
        )
        return LongObject(outline, lifted, text)

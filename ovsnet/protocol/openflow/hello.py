"""HELLO: say which versions we speak, read which the switch speaks, and agree on the highest of both.

OpenFlow 1.5.1, section 7.5.1; OVS lib/vconn.c vcs_recv_hello and lib/ofp-util.c ofputil_decode_hello.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING

from ovsnet.errors import UsageError
from ovsnet.protocol.openflow.message import ALL_VERSIONS, Message, MessageType, NoCommonVersion, Version, pack_message

if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION_BITMAP = 1
_ELEMENT = struct.Struct("!HH")
_BITMAP = struct.Struct("!I")
_KNOWN_HERE = sum(1 << version for version in Version)


def offer(versions: Iterable[Version]) -> frozenset[Version]:
    """The versions to speak, as a caller names them. Raises UsageError when there are none, or one is unknown."""
    try:
        offered = frozenset(map(Version, versions))
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{versions!r} is not a set of versions of OpenFlow.",
            remedy="Name some of openflow.Version: {Version.OF13}.",
        ) from error
    if not offered:
        raise UsageError("A HELLO must offer at least one version of OpenFlow.", remedy="Name one, for example 1.3.")
    return offered


def hello(versions: Iterable[Version] = ALL_VERSIONS, xid: int = 0) -> bytes:
    """The bytes of a HELLO that offers ``versions``. Raises UsageError as ``offer`` does.

    The header's version alone means "this and all below", so the bitmap goes along only when that would be untrue;
    it came with 1.3.1, and an older switch cannot be asked to read it.
    """
    offered = offer(versions)
    highest = max(offered)
    bitmap = sum(1 << version for version in offered)
    if bitmap == _up_to(highest):
        return pack_message(highest, MessageType.HELLO, xid)
    element = _ELEMENT.pack(VERSION_BITMAP, _ELEMENT.size + _BITMAP.size) + _BITMAP.pack(bitmap)
    return pack_message(highest, MessageType.HELLO, xid, element)


def offered_versions(message: Message) -> frozenset[Version]:
    """Read which of the versions known here a HELLO offers.

    Elements that are malformed or unknown are passed over, as OVS does: the header's version then stands.
    """
    bitmap = _up_to(message.version)
    body = message.body
    start = 0
    while len(body) - start >= _ELEMENT.size:
        kind, length = _ELEMENT.unpack_from(body, start)
        # The length leaves out the padding to 8 bytes, which must be there all the same.
        padded = (length + 7) & ~7
        if length < _ELEMENT.size or start + padded > len(body):
            break
        if kind == VERSION_BITMAP:
            bitmap = _element_bitmap(body[start + _ELEMENT.size : start + length]) or bitmap
        start += padded
    return _versions_in(bitmap & _KNOWN_HERE)


def agree(ours: frozenset[Version], message: Message) -> Version:
    """The highest version that we and the sender of this HELLO speak. Raises NoCommonVersion when there is none."""
    theirs = offered_versions(message)
    if common := ours & theirs:
        return max(common)
    raise NoCommonVersion(f"the switch speaks {_names(theirs)} and we speak {_names(ours)}: no version in common")


def _element_bitmap(words: bytes) -> int:
    """Read the first word, all that versions below 32 need. 0: not a whole number of words, or no version in it."""
    if not words or len(words) % _BITMAP.size:
        return 0
    return int.from_bytes(words[: _BITMAP.size]) & ~1


@cache
def _versions_in(bitmap: int) -> frozenset[Version]:
    return frozenset(version for version in Version if bitmap >> version & 1)


def _up_to(version: int) -> int:
    return (1 << version + 1) - 2


def _names(versions: frozenset[Version]) -> str:
    return ", ".join(f"OpenFlow 1.{version - 1}" for version in sorted(versions)) or "no version known here"

"""ERROR messages: what the switch says no to, and why.

Body: type u16, code u16, then data: text for HELLO_FAILED, else at least the first 64 bytes of the offending message
(OpenFlow 1.5.1, section 7.5.4). Extensions put whose error it is in front of the data (OVS lib/ofp-errors.c).
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.error_names import EXPERIMENTER_ERROR, error_name
from ovsnet.protocol.openflow.message import Message, MessageType, OpenFlowProtocolError, Version, fixed_text, unpack

HELLO_FAILED = 0

_ERROR = struct.Struct("!HH")
_EXPERIMENTER = struct.Struct("!HHI")
_NX_VENDOR = struct.Struct("!HHIHH")
_NX_VENDOR_ERROR = (0xB0C2, 0)
"""Type and code that announce a Nicira error in 1.0 and 1.1."""


class ErrorMessage(msgspec.Struct, frozen=True):
    """One ERROR. Its ``xid`` is that of the request it refuses.

    ``type`` and ``code`` are the experimenter's own when ``experimenter`` is not 0: since 1.2 the type is then 0xffff.
    """

    version: int
    xid: int
    type: int
    code: int
    name: str
    data: bytes
    experimenter: int = 0

    @property
    def text(self) -> str:
        """The switch's own words: only HELLO_FAILED has any, else empty."""
        return fixed_text(self.data) if (self.type, self.experimenter) == (HELLO_FAILED, 0) else ""


def parse_error(message: Message) -> ErrorMessage:
    """Read an ERROR. Raises OpenFlowProtocolError when it is not one, or is too short."""
    if message.type != MessageType.ERROR:
        raise OpenFlowProtocolError(f"ERROR was expected and a message of type {message.type} came")
    body = message.body
    kind, code = unpack(_ERROR, body, "an ERROR")
    size, experimenter = _ERROR.size, 0
    if (kind, code) == _NX_VENDOR_ERROR and message.version < Version.OF12:
        _kind, _code, experimenter, kind, code = unpack(_NX_VENDOR, body, "a Nicira ERROR")
        size = _NX_VENDOR.size
    elif kind == EXPERIMENTER_ERROR and message.version >= Version.OF12:
        kind, code, experimenter = unpack(_EXPERIMENTER, body, "an experimenter ERROR")
        size = _EXPERIMENTER.size
    name = error_name(message.version, kind, code, experimenter)
    return ErrorMessage(message.version, message.xid, kind, code, name, body[size:], experimenter)

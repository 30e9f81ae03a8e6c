"""PORT_STATUS: a port came, went or changed, and the switch says so unasked (OpenFlow 1.5.1, section 7.4.3).

A switch sends it to a connection like ours only when that wants asynchronous messages: ``port_status_requests`` says
so, and wants no other (OVS ofproto/connmgr.c, ``ofconn_receives_async_msg``).
"""

from __future__ import annotations

import struct

import msgspec

from ovsnet.protocol.openflow.message import NICIRA, Message, MessageType, OpenFlowProtocolError, pack_message, unpack
from ovsnet.protocol.openflow.ports import Port, read_ports
from ovsnet.protocol.openflow.replies import Config

_STATUS = struct.Struct("!B7x")
_CHANGES = ("added", "deleted", "modified")

_NXT_SET_ASYNC_CONFIG = 19
_EVERY_CHANGE = 0b111
_SOME_OF_A_PACKET = 1


class PortChange(msgspec.Struct, frozen=True):
    """``change`` is ``added``, ``deleted`` or ``modified``; ``port`` is how it is now, or was last."""

    change: str
    port: Port


def parse_port_status(message: Message) -> PortChange:
    """Read a PORT_STATUS message. Raises OpenFlowProtocolError when it is not one."""
    if message.type != MessageType.PORT_STATUS:
        raise OpenFlowProtocolError(f"PORT_STATUS was expected and a message of type {message.type} came")
    (reason,) = unpack(_STATUS, message.body, "a PORT_STATUS message")
    ports = read_ports(message.version, message.body[_STATUS.size :])
    if len(ports) != 1 or reason >= len(_CHANGES):
        raise OpenFlowProtocolError(f"a PORT_STATUS message of reason {reason} has {len(ports)} ports")
    return PortChange(_CHANGES[reason], ports[0])


def port_status_requests(version: int, xid: int, config: Config) -> bytes:
    """Want the changes of ports, and neither packets nor removed flows, whatever the role.

    A packet's length that is not zero is what turns asynchronous messages on. The flags of ``config``, which are the
    whole bridge's, stay as they are. Neither message has an answer.
    """
    masks = struct.pack("!II6I", NICIRA, _NXT_SET_ASYNC_CONFIG, 0, 0, _EVERY_CHANGE, _EVERY_CHANGE, 0, 0)
    wanted = pack_message(version, MessageType.EXPERIMENTER, xid, masks)
    length = struct.pack("!HH", config.flags, _SOME_OF_A_PACKET)
    return wanted + pack_message(version, MessageType.SET_CONFIG, xid, length)

"""Replies of one message: FEATURES, GET_CONFIG and ROLE.

Every function takes the reply's ``Message`` and raises OpenFlowProtocolError when it is of another type or too short.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from ovsnet.protocol.openflow.message import NICIRA, Message, MessageType, OpenFlowProtocolError, Version, unpack
from ovsnet.protocol.openflow.ports import Port, read_ports
from ovsnet.protocol.openflow.requests import NXT_ROLE_REPLY

_FEATURES = struct.Struct("!QIBB2xII")
_CONFIG = struct.Struct("!HH")
_ROLE = struct.Struct("!I4xQ")
_NX_ROLE = struct.Struct("!III")
_NO_GENERATION = 0xFFFF_FFFF_FFFF_FFFF


class Features(msgspec.Struct, frozen=True):
    """What the switch is. ``capabilities`` are OFPC bits; ``ports`` is empty since 1.3, which has PORT_DESC."""

    datapath_id: int
    n_buffers: int
    n_tables: int
    auxiliary_id: int
    """0 is the main connection; before 1.3 there is no other."""
    capabilities: int
    ports: tuple[Port, ...] = ()


class Config(msgspec.Struct, frozen=True):
    """How the switch treats packets for this connection."""

    flags: int
    """Fragments: 0 normal, 1 drop, 2 reassemble; OVS adds 3, "nx-match"."""
    miss_send_len: int
    """Bytes of a packet that misses every flow; 0, and the switch sends no asynchronous messages."""


class Role(IntEnum):
    """Roles of a connection by their numbers since 1.2 (which called the last two master and slave)."""

    NOCHANGE = 0
    EQUAL = 1
    PRIMARY = 2
    SECONDARY = 3


class RoleReply(msgspec.Struct, frozen=True):
    """The role of this connection; ``generation_id`` is None until a controller has set one."""

    role: Role
    generation_id: int | None = None


def parse_features(message: Message) -> Features:
    """Read a FEATURES reply."""
    _expect(message, MessageType.FEATURES_REPLY)
    fields = unpack(_FEATURES, message.body, "a FEATURES reply")
    datapath_id, n_buffers, n_tables, auxiliary_id, capabilities, _actions = fields
    if message.version >= Version.OF13:
        return Features(datapath_id, n_buffers, n_tables, auxiliary_id, capabilities)
    ports = read_ports(message.version, message.body[_FEATURES.size :])
    return Features(datapath_id, n_buffers, n_tables, 0, capabilities, ports)


def parse_config(message: Message) -> Config:
    """Read a GET_CONFIG reply."""
    _expect(message, MessageType.GET_CONFIG_REPLY)
    return Config(*unpack(_CONFIG, message.body, "a GET_CONFIG reply"))


def parse_role(message: Message) -> RoleReply:
    """Read a ROLE reply, up to 1.1 in Nicira's form (OVS include/openflow/nicira-ext.h, struct nx_role_request)."""
    if message.version >= Version.OF12:
        _expect(message, MessageType.ROLE_REPLY)
        role, generation = unpack(_ROLE, message.body, "a ROLE reply")
        return RoleReply(_role(role), None if generation == _NO_GENERATION else generation)
    _expect(message, MessageType.EXPERIMENTER)
    vendor, subtype, role = unpack(_NX_ROLE, message.body, "a Nicira ROLE reply")
    if (vendor, subtype) != (NICIRA, NXT_ROLE_REPLY):
        raise OpenFlowProtocolError(f"ROLE was asked for and message {subtype} of experimenter {vendor:#x} came")
    # Nicira counts other, primary, secondary from 0; OpenFlow put "no change" before them.
    return RoleReply(_role(role + 1))


def _expect(message: Message, wanted: MessageType) -> None:
    if message.type != wanted:
        raise OpenFlowProtocolError(f"{wanted.name} was expected and a message of type {message.type} came")


def _role(number: int) -> Role:
    if number not in Role.__members__.values():
        raise OpenFlowProtocolError(f"the switch knows a role {number}, OpenFlow does not")
    return Role(number)

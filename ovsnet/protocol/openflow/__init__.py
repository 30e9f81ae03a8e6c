"""OpenFlow 1.0 to 1.5 from the client's side, sans-IO: bytes in, events and bytes out.

``Connection`` keeps the rules of one connection; the ``*_request`` functions make the bytes of a question, and the
``parse_*`` functions read its answer. Requests and replies find each other by xid, which is the caller's to choose.
Bytes that OpenFlow forbids raise OpenFlowProtocolError, a number that does not fit its field raises UsageError, and
any other exception is a bug.
"""

from ovsnet.protocol.openflow.action import Action
from ovsnet.protocol.openflow.connection import Connection, Event, Negotiated
from ovsnet.protocol.openflow.error_message import ErrorMessage, parse_error
from ovsnet.protocol.openflow.error_names import error_name
from ovsnet.protocol.openflow.flows import Flow, parse_flows
from ovsnet.protocol.openflow.hello import hello
from ovsnet.protocol.openflow.message import (
    ALL_VERSIONS,
    Message,
    MessageType,
    NoCommonVersion,
    OpenFlowProtocolError,
    Version,
)
from ovsnet.protocol.openflow.multipart import is_last_part
from ovsnet.protocol.openflow.oxm import Entry
from ovsnet.protocol.openflow.ports import Port, parse_ports
from ovsnet.protocol.openflow.replies import Config, Features, Role, RoleReply, parse_config, parse_features, parse_role
from ovsnet.protocol.openflow.requests import (
    aggregate_request,
    barrier_request,
    desc_request,
    echo_request,
    features_request,
    flow_request,
    get_config_request,
    port_desc_request,
    role_request,
    table_request,
)
from ovsnet.protocol.openflow.stats import Aggregate, Desc, TableStats, parse_aggregate, parse_desc, parse_tables

__all__ = [
    "ALL_VERSIONS",
    "Action",
    "Aggregate",
    "Config",
    "Connection",
    "Desc",
    "Entry",
    "ErrorMessage",
    "Event",
    "Features",
    "Flow",
    "Message",
    "MessageType",
    "Negotiated",
    "NoCommonVersion",
    "OpenFlowProtocolError",
    "Port",
    "Role",
    "RoleReply",
    "TableStats",
    "Version",
    "aggregate_request",
    "barrier_request",
    "desc_request",
    "echo_request",
    "error_name",
    "features_request",
    "flow_request",
    "get_config_request",
    "hello",
    "is_last_part",
    "parse_aggregate",
    "parse_config",
    "parse_desc",
    "parse_error",
    "parse_features",
    "parse_flows",
    "parse_ports",
    "parse_role",
    "parse_tables",
    "port_desc_request",
    "role_request",
    "table_request",
]

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
from ovsnet.protocol.openflow.flow_monitor import FlowChange, FlowUpdate, is_flow_update, parse_flow_update
from ovsnet.protocol.openflow.flows import Flow, parse_flows
from ovsnet.protocol.openflow.groups import Bucket, Group, GroupStats, parse_group_stats, parse_groups
from ovsnet.protocol.openflow.hello import hello, offer
from ovsnet.protocol.openflow.message import (
    ALL_VERSIONS,
    Message,
    MessageType,
    NoCommonVersion,
    OpenFlowProtocolError,
    Version,
)
from ovsnet.protocol.openflow.meters import (
    Band,
    Meter,
    MeterFeatures,
    MeterStats,
    parse_meter_features,
    parse_meter_stats,
    parse_meters,
)
from ovsnet.protocol.openflow.multipart import is_last_part
from ovsnet.protocol.openflow.oxm import Entry
from ovsnet.protocol.openflow.port_status import PortChange, parse_port_status, port_status_requests
from ovsnet.protocol.openflow.ports import Port, parse_ports
from ovsnet.protocol.openflow.replies import Config, Features, Role, RoleReply, parse_config, parse_features, parse_role
from ovsnet.protocol.openflow.requests import (
    aggregate_request,
    barrier_request,
    desc_request,
    echo_request,
    features_request,
    flow_monitor_cancel,
    flow_monitor_request,
    flow_request,
    get_config_request,
    group_desc_request,
    group_stats_request,
    meter_config_request,
    meter_features_request,
    meter_stats_request,
    port_desc_request,
    port_stats_request,
    queue_stats_request,
    role_request,
    table_request,
)
from ovsnet.protocol.openflow.stats import Aggregate, Desc, TableStats, parse_aggregate, parse_desc, parse_tables
from ovsnet.protocol.openflow.traffic import PortStats, QueueStats, parse_port_stats, parse_queue_stats

__all__ = [
    "ALL_VERSIONS",
    "Action",
    "Aggregate",
    "Band",
    "Bucket",
    "Config",
    "Connection",
    "Desc",
    "Entry",
    "ErrorMessage",
    "Event",
    "Features",
    "Flow",
    "FlowChange",
    "FlowUpdate",
    "Group",
    "GroupStats",
    "Message",
    "MessageType",
    "Meter",
    "MeterFeatures",
    "MeterStats",
    "Negotiated",
    "NoCommonVersion",
    "OpenFlowProtocolError",
    "Port",
    "PortChange",
    "PortStats",
    "QueueStats",
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
    "flow_monitor_cancel",
    "flow_monitor_request",
    "flow_request",
    "get_config_request",
    "group_desc_request",
    "group_stats_request",
    "hello",
    "is_flow_update",
    "is_last_part",
    "meter_config_request",
    "meter_features_request",
    "meter_stats_request",
    "offer",
    "parse_aggregate",
    "parse_config",
    "parse_desc",
    "parse_error",
    "parse_features",
    "parse_flow_update",
    "parse_flows",
    "parse_group_stats",
    "parse_groups",
    "parse_meter_features",
    "parse_meter_stats",
    "parse_meters",
    "parse_port_stats",
    "parse_port_status",
    "parse_ports",
    "parse_queue_stats",
    "parse_role",
    "parse_tables",
    "port_desc_request",
    "port_stats_request",
    "port_status_requests",
    "queue_stats_request",
    "role_request",
    "table_request",
]

"""An asyncio OpenFlow client: connect to ``BRIDGE.mgmt`` and ask the switch.

``connect`` makes one ``Session``, which ends with its connection; a ``Client`` stays connected. Both ask, and change
nothing: writing flows and handling packets are a controller's work, and not done here.
"""

from ovsnet.io.ending import Ending
from ovsnet.io.kept import ClientState, Status
from ovsnet.openflow.client import Client
from ovsnet.openflow.flow_changes import FlowChanges
from ovsnet.openflow.session import Session, connect
from ovsnet.protocol.openflow import (
    ALL_VERSIONS,
    Action,
    Aggregate,
    Band,
    Bucket,
    Config,
    Desc,
    Entry,
    Features,
    Flow,
    FlowChange,
    Group,
    GroupStats,
    Meter,
    MeterFeatures,
    MeterStats,
    NoCommonVersion,
    OpenFlowProtocolError,
    Port,
    PortChange,
    PortStats,
    QueueStats,
    Role,
    RoleReply,
    TableStats,
    Version,
)

__all__ = [
    "ALL_VERSIONS",
    "Action",
    "Aggregate",
    "Band",
    "Bucket",
    "Client",
    "ClientState",
    "Config",
    "Desc",
    "Ending",
    "Entry",
    "Features",
    "Flow",
    "FlowChange",
    "FlowChanges",
    "Group",
    "GroupStats",
    "Meter",
    "MeterFeatures",
    "MeterStats",
    "NoCommonVersion",
    "OpenFlowProtocolError",
    "Port",
    "PortChange",
    "PortStats",
    "QueueStats",
    "Role",
    "RoleReply",
    "Session",
    "Status",
    "TableStats",
    "Version",
    "connect",
]

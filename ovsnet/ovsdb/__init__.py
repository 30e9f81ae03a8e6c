"""An asyncio OVSDB client: ask, write, and hold a live copy of tables.

    async with ovsdb.connect("unix:/run/openvswitch/db.sock") as session: ...

``connect`` makes one ``Session``, which ends with its connection; a ``Client`` stays connected, and so do its monitors.
``ovsnet.ovsdb.operations`` has what a transaction is
made of, ``ovsnet.ovsdb.errors`` the server's refusals as types.
"""

from ovsnet.io.address import Address
from ovsnet.io.ending import Ending
from ovsnet.io.kept import ClientState, Status
from ovsnet.io.tls import Tls
from ovsnet.ovsdb import errors, operations
from ovsnet.ovsdb.changes import Changes
from ovsnet.ovsdb.client import Client
from ovsnet.ovsdb.database import Database, SessionDatabase
from ovsnet.ovsdb.index import Index
from ovsnet.ovsdb.lasting import LastingMonitor
from ovsnet.ovsdb.live import LiveDatabase
from ovsnet.ovsdb.lock import Lock
from ovsnet.ovsdb.monitor import Monitor
from ovsnet.ovsdb.opening import connect
from ovsnet.ovsdb.operations import Condition, Mutation, Operation
from ovsnet.ovsdb.replica import Change, Tables
from ovsnet.ovsdb.rows import Column
from ovsnet.ovsdb.schema import Schema, Table
from ovsnet.ovsdb.session import Session
from ovsnet.ovsdb.transaction import Counted, Inserted, Selected, Transaction
from ovsnet.ovsdb.typed import TypedRow, row_as
from ovsnet.ovsdb.values import NO_UUID, NamedUuid, Row, Uuid, Value

__all__ = [
    "NO_UUID",
    "Address",
    "Change",
    "Changes",
    "Client",
    "ClientState",
    "Column",
    "Condition",
    "Counted",
    "Database",
    "Ending",
    "Index",
    "Inserted",
    "LastingMonitor",
    "LiveDatabase",
    "Lock",
    "Monitor",
    "Mutation",
    "NamedUuid",
    "Operation",
    "Row",
    "Schema",
    "Selected",
    "Session",
    "SessionDatabase",
    "Status",
    "Table",
    "Tables",
    "Tls",
    "Transaction",
    "TypedRow",
    "Uuid",
    "Value",
    "connect",
    "errors",
    "operations",
    "row_as",
]

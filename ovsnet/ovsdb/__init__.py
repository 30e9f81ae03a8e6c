"""An asyncio OVSDB client: ask, write, and hold a live copy of tables.

``connect`` gives a Session; ``ovsnet.ovsdb.operations`` has what a transaction is made of, ``ovsnet.ovsdb.errors`` the
server's refusals as types.
"""

from ovsnet.ovsdb.monitor import Monitor
from ovsnet.ovsdb.replica import Change
from ovsnet.ovsdb.session import Session, connect
from ovsnet.ovsdb.values import NamedUuid, Row, Uuid, Value

__all__ = ["Change", "Monitor", "NamedUuid", "Row", "Session", "Uuid", "Value", "connect"]

"""What ovsdb-server says when it refuses, as types.

    ovsnet.errors.OvsdbError
    ├── Refused                              any error string that has no type of its own
    │   ├── ConstraintViolation                  "constraint violation": a value, a unique index, a number of rows
    │   ├── ReferentialIntegrityViolation        "referential integrity violation"
    │   ├── TransactionTimedOut                  "timed out": a wait operation was not met
    │   ├── TransactionAborted                   "aborted"
    │   ├── TransactionCanceled                  "canceled"
    │   ├── NotOwner                             "not owner": an asserted lock is not held
    │   ├── AccessDenied                         "permission error": role-based access control
    │   ├── NotAllowed                           "not allowed": the server is read-only
    │   ├── RequestMalformed                     "syntax error"
    │   ├── UnknownDatabase                      "unknown database"
    │   ├── UnknownTable                         "unknown table"
    │   ├── UnknownColumn                        "unknown column"
    │   ├── UnknownMethod                        "unknown method": an older server
    │   ├── UnknownMonitor                       "unknown monitor"
    │   ├── DuplicateUuid                        "duplicate uuid"
    │   ├── DuplicateUuidName                    "duplicate uuid-name"
    │   ├── DomainError                          "domain error": division by zero
    │   ├── RangeError                           "range error": the result of a mutation does not fit
    │   ├── NotSupported                         "not supported"
    │   ├── ResourcesExhausted                   "resources exhausted"
    │   ├── StorageFailed                        "I/O error"
    │   ├── NotLeader                            "not leader": a clustered database, and this server is a follower
    │   └── ClusterFailed                        "cluster error"
    ├── MonitorCanceled                      the server, or the caller, ended a monitor
    │   └── CallbackRaised                       because its callback raised
    ├── LockReleased                         a lock was given up by its owner
    ├── LockStolen                           another client took a lock that was held
    ├── NoSuchRow                            no row bears that name, or more than one does
    └── StaleServer                          its copy of a clustered database is older than one that was seen
    ovsnet.errors.PeerError
    └── TransactionInDoubt                   it was sent, and nobody knows whether it was done
        ├── TransactionLate                      over a session, which is also a DeadlineExceeded
        ├── TransactionLost                      ... a ConnectionLost
        └── TransactionGarbled                   ... a ProtocolError

The strings are those of RFC 7047 sections 4.1 and 5.2, and of ovsdb-server (``ovsdb_error()`` in ovsdb/*.c).
"""

from __future__ import annotations

from typing import ClassVar

from ovsnet.errors import ConnectionLost, DeadlineExceeded, OvsdbError, PeerError, ProtocolError


class Refused(OvsdbError):
    """``tag`` is the server's error string, ``details`` its words on it.

    ``operation`` is the index of the operation that failed; it is None when the commit or the whole request failed.
    """

    string: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        cls.reason = cls.string.lower().replace("/", "").replace(" ", "-")

    def __init__(
        self, cause: str, *, remedy: str = "", tag: str = "", details: str = "", operation: int | None = None
    ) -> None:
        super().__init__(cause, remedy=remedy)
        self.tag = tag or self.string
        self.details = details
        self.operation = operation


class ConstraintViolation(Refused):
    string = "constraint violation"
    default_remedy = "Write a value that the column's type, the table's indexes and its row limit permit."


class ReferentialIntegrityViolation(Refused):
    string = "referential integrity violation"
    default_remedy = "Insert the row that is referred to, or drop the reference, in the same transaction."


class TransactionTimedOut(Refused):
    string = "timed out"
    default_remedy = "Another client changed the rows: read them again and retry."


class TransactionAborted(Refused):
    string = "aborted"


class TransactionCanceled(Refused):
    string = "canceled"


class NotOwner(Refused):
    string = "not owner"
    default_remedy = "Take the lock before you assert it; another client may hold it."


class AccessDenied(Refused):
    string = "permission error"
    default_remedy = "Connect with the certificate of a role that may write these columns (ovn-sb(5), RBAC_Role)."


class NotAllowed(Refused):
    string = "not allowed"
    default_remedy = "Write to the active server: this one, or this remote, is read-only."


class RequestMalformed(Refused):
    string = "syntax error"
    default_remedy = "Compare tables, columns and operations with the server's schema."


class UnknownDatabase(Refused):
    string = "unknown database"
    default_remedy = "Ask list_dbs which databases this server has; a clustered one may still be joining."


class UnknownTable(Refused):
    string = "unknown table"
    default_remedy = "Compare with the server's schema: it may be older than the client."


class UnknownColumn(Refused):
    string = "unknown column"
    default_remedy = "Compare with the server's schema: it may be older than the client."


class UnknownMethod(Refused):
    string = "unknown method"
    default_remedy = "The server is too old for this request."


class UnknownMonitor(Refused):
    string = "unknown monitor"


class DuplicateUuid(Refused):
    string = "duplicate uuid"


class DuplicateUuidName(Refused):
    string = "duplicate uuid-name"
    default_remedy = "Give each insert of a transaction a name of its own."


class DomainError(Refused):
    string = "domain error"


class RangeError(Refused):
    string = "range error"


class NotSupported(Refused):
    string = "not supported"


class ResourcesExhausted(Refused):
    string = "resources exhausted"
    default_remedy = "Give ovsdb-server memory, or make the transaction smaller."


class StorageFailed(Refused):
    string = "I/O error"
    default_remedy = "See the server's log, and the space and health of the disk that holds the database."


class NotLeader(Refused):
    string = "not leader"
    default_remedy = "Connect to the leader: _Server.Database.leader says which server that is."


class ClusterFailed(Refused):
    string = "cluster error"
    default_remedy = "See cluster/status on each server: the cluster may have no quorum."


class MonitorCanceled(OvsdbError):
    reason = "monitor-canceled"


class CallbackRaised(MonitorCanceled):
    reason = "callback-raised"
    default_remedy = "Catch what the callback may raise; then monitor again."


class NoSuchRow(OvsdbError):
    reason = "no-such-row"


class StaleServer(OvsdbError):
    reason = "stale-server"
    default_remedy = "Wait until this member has caught up, or use another one."


class TransactionInDoubt(PeerError):
    reason = "transaction-in-doubt"
    default_remedy = "Read whether it was done before you do it again, or guard it by a wait operation."


class TransactionLate(TransactionInDoubt, DeadlineExceeded):
    """No answer came in time."""


class TransactionLost(TransactionInDoubt, ConnectionLost):
    """The session ended before an answer came."""


class TransactionGarbled(TransactionInDoubt, ProtocolError):
    """The answer is none."""


class LockReleased(OvsdbError):
    reason = "lock-released"


class LockStolen(OvsdbError):
    reason = "lock-stolen"
    default_remedy = "Stop what the lock protects; ask for it again if it is still wanted."


_BY_STRING: dict[str, type[Refused]] = {kind.string: kind for kind in Refused.__subclasses__()}


def ovsdb_error(value: object, *, peer: str = "The server", operation: int | None = None, subject: str = "") -> Refused:
    """The error that an ``<error>`` object (RFC 7047 section 3.1), or the bare string of an RPC error, means.

    ``subject`` says what was refused, in words that follow "refused".
    """
    if isinstance(value, dict):
        tag, details = str(value.get("error", value)), str(value.get("details") or "")
    else:
        tag, details = str(value), ""
    kind = _BY_STRING.get(tag, Refused)
    said = f"{tag}: {details}" if details else tag
    what = f" {subject}" if subject else ""
    cause = f"{peer} refused{what}: {said.rstrip('.')}."
    return kind(cause, tag=tag, details=details, operation=operation)

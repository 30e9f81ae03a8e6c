"""Every error ovsnet raises on purpose, as one tree.

    OvsnetError
    ├── UsageError                  exit 2: the caller asked for something impossible
    │   ├── ConfigError                 an unknown key, a value out of range
    │   └── AddressError                an address or socket path that can never work
    ├── UnfitEnvironment            exit 3: this machine does not let us tell
    │   └── OwnLimit                    EMFILE, ENFILE: we have no descriptor left, whatever the peer does
    │       └── OutOfMemory                 ENOMEM
    └── PeerError                   a daemon, and what it did
        ├── ConnectError                no connection came to be
        │   ├── SocketMissing               ENOENT
        │   ├── ConnectionRefused           ECONNREFUSED: a stale socket, or nobody listens
        │   ├── BacklogFull                 EAGAIN: the listener does not accept
        │   ├── PermissionDenied            EACCES, EPERM
        │   ├── Unreachable                 any other errno
        │   │   └── NameUnresolved              the host name has no address
        │   └── TlsFailed                   the handshake or a certificate
        ├── NotConnectedYet             a connection is being made: nothing can be said of the peer
        ├── ConnectionLost              it was connected, and is not any more
        ├── DeadlineExceeded            no answer in time: slow or hung, this alone cannot tell
        ├── ProtocolError               bytes that the protocol forbids
        │   └── ProtocolFlood               more messages than were asked for
        └── RequestRefused              a well-formed answer that says no
            ├── OvsdbError                  RFC 7047 error strings, refined in ovsnet.ovsdb.errors
            ├── OpenFlowRefused             an OFPT_ERROR message
            └── UnixctlRefused              "... is not a valid command" and its like

``str(error)`` is one sentence that names the cause; ``remedy`` is one that says what to do.
``reason`` is the short code that a Result, a metric label or a JSON document carries.
Any other exception that leaves a public function is a bug of ovsnet.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import ClassVar


class OvsnetError(Exception):
    """Root of the tree. ``exit_code`` is what the command line ends with."""

    reason: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 3
    default_remedy: ClassVar[str] = ""

    def __init__(self, cause: str, *, remedy: str = "") -> None:
        super().__init__(cause)
        self.remedy = remedy or self.default_remedy


class UsageError(OvsnetError):
    reason = "usage"
    exit_code = 2


class ConfigError(UsageError):
    reason = "config"


class AddressError(UsageError):
    reason = "address"


class UnfitEnvironment(OvsnetError):
    reason = "environment"


class OwnLimit(UnfitEnvironment):
    reason = "own-limit"
    default_remedy = "Raise the open-file limit of ovsnet (LimitNOFILE=) or of the host (fs.file-max)."


class OutOfMemory(OwnLimit):
    reason = "own-memory"
    default_remedy = "Give ovsnet more memory, and find out what uses it."


OWN_LIMITS = frozenset({OwnLimit.reason, OutOfMemory.reason})
"""Reasons for which nothing was asked."""


def own_limit(error: BaseException) -> OwnLimit | None:
    """The error of the tree for a limit of our own that ``error`` shows; None when it shows none."""
    if isinstance(error, OwnLimit):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory("ovsnet is out of memory.")
    if isinstance(error, OSError):
        match error.errno:
            case errno.EMFILE:
                return OwnLimit("ovsnet is out of file descriptors.")
            case errno.ENFILE:
                return OwnLimit("This host is out of file descriptors for all processes (fs.file-max).")
            case errno.ENOMEM:
                return OutOfMemory("The kernel has no memory left for ovsnet.")
    return None


def raise_own_limit(error: BaseException) -> None:
    """Raise OwnLimit when ``error`` shows a limit of our own. It is not a fact about what was to be read."""
    if (own := own_limit(error)) is not None:
        raise own from error


class PeerError(OvsnetError):
    reason = "peer"


class ConnectError(PeerError):
    reason = "connect"


class SocketMissing(ConnectError):
    reason = "socket-missing"
    default_remedy = "Start the daemon that owns the socket, or correct the run directory."


class ConnectionRefused(ConnectError):
    reason = "refused"
    default_remedy = "The daemon that created the socket is gone: start it again."


def telling(errors: Sequence[PeerError]) -> PeerError:
    """Which to report of those that several places gave, the likeliest first: of the first place where a process
    listens. A socket at which nobody listens may be what a killed daemon left."""
    return next((each for each in errors if not isinstance(each, SocketMissing | ConnectionRefused)), errors[0])


class BacklogFull(ConnectError):
    reason = "backlog-full"
    default_remedy = "The daemon accepts no connections: find the clients that flood it, or check whether it hangs."


class PermissionDenied(ConnectError):
    reason = "permission-denied"
    default_remedy = "Run as the user that owns the socket (root or openvswitch), or join its group."


class Unreachable(ConnectError):
    reason = "unreachable"


class NameUnresolved(Unreachable):
    reason = "name-unresolved"
    default_remedy = "Correct the host name, or check this host's resolver."


class TlsFailed(ConnectError):
    reason = "tls"
    default_remedy = "Check the key, the certificate and the CA on both sides, including their dates."


class NotConnectedYet(PeerError):
    reason = "connecting"


class ConnectionLost(PeerError):
    reason = "closed"


class DeadlineExceeded(PeerError):
    reason = "timeout"


class ProtocolError(PeerError):
    """``events`` are those that the same bytes held before the fault."""

    reason = "protocol"
    events: Sequence[object] = ()
    default_remedy = "Check that the socket belongs to the intended daemon."


class ProtocolFlood(ProtocolError):
    reason = "protocol-flood"
    default_remedy = "Check its log, and which process is listening on the socket."


class RequestRefused(PeerError):
    reason = "refused-request"


class OvsdbError(RequestRefused):
    reason = "ovsdb-error"


class OpenFlowRefused(RequestRefused):
    reason = "openflow-error"


class UnixctlRefused(RequestRefused):
    reason = "unixctl-error"

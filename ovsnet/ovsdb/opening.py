"""Which of several servers a session is made with: the first that will do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ovsnet.errors import PeerError, Unreachable, UsageError
from ovsnet.io.address import Address, remotes_of
from ovsnet.io.deadline import require_seconds
from ovsnet.io.opening import Opening
from ovsnet.io.tls import Tls
from ovsnet.ovsdb.membership import Membership
from ovsnet.ovsdb.session import MAX_BYTES, Session


def connect(
    *remotes: Address | str,
    database: str = "",
    leader_only: bool = False,
    timeout: float = 1.0,
    tls: Tls | None = None,
    max_bytes: int = MAX_BYTES,
) -> Opening[Session]:
    """Connect to the first of ``remotes`` that accepts, each within ``timeout`` seconds.

    With ``database`` only a server will do that serves it and is in touch with its cluster, and with ``leader_only``
    only the leader, as it says within ``timeout`` seconds. That may change: a Client leaves it then, a session stays.

    Await what this returns, or enter it with ``async with``. Raises AddressError at once for a text that is no
    address; the error of the server that would not do, or one that names each. Without ``database`` a server that
    accepts and is stuck is not noticed here: only an answer proves that it lives, see ``Session.echo``.
    """
    places = remotes_of(remotes)
    require_seconds(timeout)
    members = membership(database, leader_only=leader_only)
    return Opening(
        lambda: open_first(places, members, timeout=timeout, silence=timeout, watch=False, tls=tls, max_bytes=max_bytes)
    )


def membership(database: str, *, leader_only: bool) -> Membership | None:
    """What is asked of a server; None for nothing. Raises UsageError for a leader of no database."""
    if leader_only and not database:
        raise UsageError("A leader is one of a database.", remedy="Give database=, such as OVN_Southbound.")
    return Membership(database, leader_only=leader_only) if database else None


async def open_first(
    places: Iterable[Address],
    members: Membership | None,
    *,
    timeout: float,
    silence: float,
    watch: bool,
    tls: Tls | None,
    max_bytes: int,
) -> Session:
    """``timeout`` is for each connect, ``silence`` for a server's word on its copy; ``watch`` ends a
    session whose server is not the right one any more."""
    failures: list[PeerError] = []
    for place in places:
        session = Session(place, max_bytes=max_bytes, bounded=False)
        try:
            await session.open(timeout=timeout, tls=tls)
            if members is not None:
                await members.require(session, timeout=silence, watch=watch)
        except PeerError as error:  # over TLS a frozen member accepts, and says nothing
            session.channel.abort()
            failures.append(error)
        except BaseException:
            session.channel.abort()
            raise
        else:
            return session
    raise _none_of(failures)


def _none_of(failures: Sequence[PeerError]) -> PeerError:
    """The error of several remotes of which none could be used."""
    if len(failures) == 1:
        return failures[0].with_traceback(None)
    kind = type(failures[-1]) if len({type(each) for each in failures}) == 1 else Unreachable
    return kind(
        f"None of {len(failures)} servers can be used. " + " ".join(map(str, failures)), remedy=failures[-1].remedy
    )

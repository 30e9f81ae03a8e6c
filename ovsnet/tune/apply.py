"""Write a plan: one guarded transaction per database. Nothing else of ``tune`` writes.

It never waits for ovs-vswitchd: ``ovs-vsctl set`` without ``--no-wait`` does, and hangs with it.
"""

from __future__ import annotations

from collections.abc import Mapping

from ovsnet.errors import DeadlineExceeded
from ovsnet.ovsdb import Session
from ovsnet.ovsdb.errors import TransactionTimedOut
from ovsnet.tune.plan import Plan
from ovsnet.tune.transaction import Guarded, operations, subject_of, transaction


class Overtaken(TransactionTimedOut):
    """Somebody else changed what the plan is about; nothing was written to this database."""

    default_remedy = "Plan again, and see what they wrote."


async def apply(plan: Plan, sessions: Mapping[str, Session], *, timeout: float = 5.0) -> tuple[str, ...]:
    """Returns the databases written to. ``timeout`` is in seconds for each.

    Raises Overtaken when a value is no longer what the plan saw, the OvsdbError that the server answers (read-only,
    no permission), DeadlineExceeded when it does not answer. Then this database holds the old values, or, after a
    DeadlineExceeded or a ConnectionLost, either all old or all new ones.
    """
    done: list[str] = []
    for database in plan.databases:
        steps = transaction(plan.of(database))
        try:
            await sessions[database].transact(database, *operations(steps), timeout=timeout)
        except TransactionTimedOut as error:
            raise _overtaken(database, steps, error, done) from error
        except DeadlineExceeded as error:
            raise _unanswered(database, timeout, done) from error
        done.append(database)
    return tuple(done)


def _overtaken(database: str, steps: list[Guarded], error: TransactionTimedOut, done: list[str]) -> Overtaken:
    subject = subject_of(steps, error.operation or 0)
    return Overtaken(
        f"Another client changed {subject} after it was read: nothing was written to {database}{_already(done)}.",
        operation=error.operation,
    )


def _unanswered(database: str, timeout: float, done: list[str]) -> DeadlineExceeded:
    return DeadlineExceeded(
        f"The server of {database} did not answer within {timeout:g} s: all of it was written, or nothing"
        f"{_already(done)}.",
        remedy="See with `ovsnet tune plan` which; `ovsnet tune revert` works in both cases.",
    )


def _already(done: list[str]) -> str:
    return f" ({', '.join(done)} had been written)" if done else ""

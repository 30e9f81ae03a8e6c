"""The cases of Open vSwitch's own ovsdb-idl.at, as far as they are about what this client does too."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from tests.ovsdb.idl.cases import PLAIN_CASES
from tests.ovsdb.idl.conditions import CONDITIONS
from tests.ovsdb.idl.driver import Case, made, play, served
from tests.ovsdb.idl.parts import PARTS
from tests.ovsdb.idl.references import REFERENCES

CASES = (*PLAIN_CASES, *CONDITIONS, *REFERENCES, *PARTS)

ELSEWHERE = {
    "simple idl, monitor_cond_since, cluster disconnect": "tests/ovsdb/test_lasting.py and tests/ovsdb/chaos",
    "Check Python IDL connects to leader": "tests/tune/test_sessions.py, and tests/ovsdb/chaos with an odd seed",
    "Check Python IDL reconnects to leader": "tests/ovsdb/chaos: the leader moves",
    "idl table and column presence check": "tests/ovsdb/test_monitor.py, and `missing` in each case here",
    "idl reconnect does not reset last_id for missing tables": "tests/ovsdb/test_monitor_resume.py",
    "simple idl, database change aware, online conversion": "tests/ovsdb/test_lasting.py and tests/ovsdb/chaos",
    "Check stream open block": "tests/io/test_connect.py",
    "simple idl, persistent uuid insert uref": "the case before it: a row with a uuid is inserted by an operation",
}
"""Cases whose matter is tested in another place."""

NOT_HERE = {
    "simple passive idl, initially empty, select empty": "A client that listens for its server is none of ours.",
    "getattr idl, insert ops": "Rows are read-only: what a transaction writes is not read back from a row.",
    "simple idl, initially empty, set remotes": "A client keeps the remotes that it was made with.",
    "simple idl, initially empty, force reconnect": "A connection is left for a reason only, and then with a pause.",
    "idl set_condition after connection": "A condition on a column that the server lacks is refused, not dropped.",
    "read only insert": "There is no read-only mode of a transaction.",
    "read only set": "There is no read-only mode of a transaction.",
    "read only delete": "There is no read-only mode of a transaction.",
}
"""Cases about what this client does not do, and why."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title.replace(", ", "-").replace(" ", "_"))
async def test_case(case: Case) -> None:
    with tempfile.TemporaryDirectory(prefix="idl-") as directory:
        server = made(Path(directory), case.lacking)
        try:
            await server.start()
            async with served(server, case) as world:
                await play(case, world)
        finally:
            server.kill()


def test_case_is_in_one_place() -> None:
    titles = [case.title for case in CASES]
    assert len(set(titles)) == len(titles)
    assert not {*titles} & ELSEWHERE.keys()
    assert not ({*titles} | ELSEWHERE.keys()) & NOT_HERE.keys()

"""How a check is declared."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ovsnet.health.checks.declaration import CHECKS, Check, check
from ovsnet.health.checks.result import Answer, ok
from ovsnet.node.node import Node


@pytest.fixture
def registry() -> Iterator[dict[str, Check]]:
    """The registry, restored afterwards."""
    before = dict(CHECKS)
    yield CHECKS
    CHECKS.clear()
    CHECKS.update(before)


def test_declaring_puts_a_check_behind_those_it_needs(registry: dict[str, Check]) -> None:
    @check("new.fact", daemon="ovsdb-server", needs=("ovsdb.echo",), every=5.0, phase=0.25)
    async def fact(node: Node) -> Answer:
        """The fact holds.

        What stands here is for the reader of the code.
        """
        return ok("")

    made = registry["new.fact"]
    assert list(registry)[-1] == "new.fact"
    assert (made.question, made.component, made.daemon) == ("The fact holds.", "new", "ovsdb-server")
    assert (made.needs, made.every, made.phase, made.probe) == (("ovsdb.echo",), 5.0, 0.25, fact)


@pytest.mark.parametrize(("name", "needs"), [("ovsdb.echo", ()), ("new.fact", ("later.fact",))])
def test_name_taken_or_need_unknown_is_a_mistake_of_the_code(
    registry: dict[str, Check], name: str, needs: tuple[str, ...]
) -> None:
    declare = check(name, daemon="ovsdb-server", needs=needs)
    with pytest.raises(AssertionError):
        declare(CHECKS["ovsdb.echo"].probe)


@pytest.mark.parametrize("each", CHECKS.values(), ids=lambda each: each.name)
def test_each_check_asks_a_question_in_a_sentence_and_is_component_dot_fact(each: Check) -> None:
    component, dot, fact = each.name.partition(".")
    assert component == each.component
    assert dot
    assert fact
    assert each.question.endswith(".")
    assert each.every > 0
    assert 0 <= each.phase < 1

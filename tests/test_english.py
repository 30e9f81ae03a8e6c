"""What leaves the process reads as a native engineer would write it: these words are none of theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from ovsnet.cli import ovsnet
from tests.golden.faces import commands, flags

ROOT = Path(__file__).parents[1]

PAGES = ("README.md", "SECURITY.md", "CONTRIBUTING.md", "docs/*.md", "bench/README.md", "ovsnet/web/page.*")

TOLD = r"\b(?:is|are|was|were) told\b(?! (?:to|which|that))|\b[Tt]ells? (?:of|who|what|whether|which|that|each)\b"
STANDS = r"\b(?:stands?|stood) (?:in|on|still|between|behind)\b"

WORDS = {
    "anew": r"\banew\b",
    "for ever": r"\bfor ever\b",
    "mend": r"\bmend(?:s|ed|ing)?\b",
    "of late": r"\b(?:of late|lately)\b",
    "is no X": r"(?<!here )(?:\bis|^ ?is) no (?:(?!longer|more|closer|such)[a-z]+)",
    "somebody": r"(?i:\b(?:somebody|everybody|anybody)\b)",
    "stand": STANDS,
    "tell": TOLD,
    "who as subject": r"(?:^|[.;:] )Who(?:ever)? (?!.*\?)\w+s\b",
    "its own word": r"\bby (?:its|their|the \w+'s?) own word\b",
    "so many": r"\bso often\b(?! that)|\b(?:in|after|within|for|of) so (?:many|long)\b",
    "that is ours": r"\bthat (?:is|are) ours\b",
    "participle first": r"(?:^|[.;:] )(?:Not )?(?:[Rr]ead|[Nn]amed|[Gg]iven|[Aa]sked|[Tt]aken|[Ss]een) (?:is|are)\b",
    "begin then": r"\b(?:Begin|End|Start) then\b",
    "spun": r"\bspun\b",
}


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """The texts of a module that leave the process, with their lines: sentences, the help of options, and the
    docstrings of commands and checks. Fragments of less than three words belong to a sentence."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    helps = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.keyword) and each.arg == "help"}
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (said := ast.get_docstring(node)):
            ways = [ast.unparse(each) for each in node.decorator_list]
            if any("command" in way or "group" in way for way in ways):
                yield node.lineno, said
            elif any(way.startswith(("check(", "examination(")) for way in ways):
                yield node.lineno, said.partition("\n\n")[0]
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in silent
            and (id(node) in helps or len(node.value.split()) >= 3)
        ):
            yield node.lineno, node.value


@cache
def outgoing() -> dict[str, str]:
    """Every text by its place."""
    return dict(_outgoing())


def _outgoing() -> Iterator[tuple[str, str]]:
    for file in sorted((ROOT / "ovsnet").rglob("*.py")):
        for line, text in texts_of(file):
            yield f"{file.relative_to(ROOT)}:{line}", " ".join(text.split())
    for page in (found for glob in PAGES for found in sorted(ROOT.glob(glob))):
        for number, text in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
            yield f"{page.relative_to(ROOT)}:{number}", text


@pytest.mark.parametrize("word", WORDS)
def test_no_text_that_leaves_the_process_has_such_a_word(word: str) -> None:
    found = {place: text for place, text in outgoing().items() if re.search(WORDS[word], text)}
    assert not found


WHO = re.compile(r"[:;,.] who [a-z]+s\b|\b[Ww]hoever\b")
"""The subject of a clause, where a caller, a check or a daemon is meant."""


def test_no_comment_and_no_docstring_calls_a_program_who() -> None:
    files = sorted((ROOT / "ovsnet").rglob("*.py"))
    texts = {f"{file.relative_to(ROOT)}": " ".join(file.read_text(encoding="utf-8").split()) for file in files}
    assert not {place: found for place, text in texts.items() if (found := WHO.findall(text))}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("tell", "Why it failed is told nowhere."),
        ("tell", "Its log tells who ended it."),
        ("stand", "The ports that stand in the database."),
        ("is no X", "'x' is no number."),
        ("who as subject", "Who asks twice waits."),
        ("somebody", "until somebody removes it"),
        ("somebody", "Somebody ran debug/pause on ovn-controller."),
        ("tell", "Tell what happened, from logs and archives."),
        ("its own word", "what runs, by the daemons' own word"),
        ("so many", "Repeat so often."),
        ("so many", "End after so many transactions; the first rows are none."),
        ("that is ours", "Take everything out again that is ours."),
        ("participle first", "Read are: the output of ovs-vsctl list."),
        ("participle first", "Not read is what follows."),
        ("begin then", "Begin then: Unix time or ISO 8601."),
        ("spun", "The daemon spun for a minute."),
    ],
)
def test_such_a_word_would_be_found(word: str, text: str) -> None:
    assert re.search(WORDS[word], text)


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("tell", "ovs-vswitchd was told to exit."),
        ("is no X", "There is no bridge br-int."),
        ("is no X", "It is no longer a chassis."),
        ("who as subject", "Who serves the southbound?"),
        ("so many", "Find what makes so many flows."),
        ("participle first", "It has read what is there."),
    ],
)
def test_what_is_english_is_left_alone(word: str, text: str) -> None:
    assert not re.search(WORDS[word], text)


OPENERS = ("Of", "Or", "So", "Then", "That", "Those", "And", "But", "Which")
"""A help text is a phrase of its own: it has a noun or a verb for itself."""


def options() -> Iterator[tuple[str, click.Option]]:
    """Every option by its command."""
    for path in commands():
        context = click.Context(ovsnet)
        command: click.Command = ovsnet
        for name in path:
            assert isinstance(command, click.Group)
            found = command.get_command(context, name)
            assert found is not None
            command = found
        for param in command.params:
            if isinstance(param, click.Option):
                yield " ".join((*path, param.opts[-1])), param


def test_every_option_has_a_help_text_of_its_own() -> None:
    helps = {place: option.help or "" for place, option in options()}
    assert len(helps) > 300
    assert [place for place, text in helps.items() if len(text.split()) < 2] == []
    assert [f"{place}: {text}" for place, text in helps.items() if text.split()[0] in OPENERS] == []


def test_every_group_shows_whole_summaries() -> None:
    assert [line for line in flags().splitlines() if line.endswith("...") and not line.startswith("Usage:")] == []

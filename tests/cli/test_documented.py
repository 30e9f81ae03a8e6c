"""What README, docs, remedies and help have people type is what the command line takes."""

from __future__ import annotations

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from ovsnet.cli import ovsnet
from ovsnet.doctor import EXAMINATIONS
from ovsnet.health.cause_table import UNEXPLAINED
from ovsnet.health.causes import causes
from tests.golden.faces import flags

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("README.*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
PAGES += [ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "bench/README.md")]

LINE = re.compile(r"^\s*(?:\$ |sudo |.* \| )?(?:[\w./~$-]*/)?ovsnet (?P<words>.*)$")
"""A line of its own, or the end of a pipe: typed as it is."""

INLINE = re.compile(r"`(?:sudo )?(?:[\w./-]*/)?ovsnet (?P<words>[^`]+)`")
"""In a sentence: a command may be named without what it needs."""

ENDS = re.compile(r"\s(?:#|\||>|<|2>|&&|;|\.\.\.|…)(?:\s|$).*|\s*&$")
"""What the shell takes, and comments."""

FLAG = re.compile(r"`(--[a-z][\w-]*)")

OF_OTHERS = {
    *("--config.custom-plugin-monitor", "--ovnnb-db", "--ovnsb-db", "--if-exists", "--no-wait", "--may-exist"),
    *("--nofile", "--user", "--require-hashes", "--mlockall", "--config-file", "--wait", "--all-extras"),
    *("--check", "--post-renderer", "--suite"),
}
"""Options of other programs."""


def typed(text: str) -> Iterator[str]:
    """Lines of a page's code that begin with ``ovsnet``, with their continuations."""
    fenced = False
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        fenced ^= line.startswith("```")
        if (fenced or line.startswith("    ")) and (found := LINE.match(line)):
            yield found["words"]


def without_shell(words: str) -> list[str]:
    """Those of them that are ovsnet's."""
    return shlex.split(ENDS.sub("", f" {words}"))


def parse(words: list[str]) -> click.Command:
    """The command, once it has taken all of its words. Raises UsageError."""
    command: click.Command = ovsnet
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            raise click.UsageError(f"no command {words[0]!r}")
        command, words = found, words[1:]
    if not isinstance(command, click.Group):
        with contextlib.suppress(click.exceptions.Exit):  # of --help
            command.make_context(command.name, list(words))
    return command


def problem(words: str, *, whole: bool) -> str:
    """Why the command line refuses it; empty when it does not."""
    try:
        parse(without_shell(words))
    except click.MissingParameter as error:
        return f"ovsnet {words}: {error.format_message()}" if whole else ""
    except click.ClickException as error:
        return f"ovsnet {words}: {error.format_message()}"
    return ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_shows_commands_that_there_are(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    refused = [problem(words, whole=True) for words in typed(text)]
    refused += [problem(found["words"], whole=False) for found in INLINE.finditer(text)]
    assert [each for each in refused if each] == []


def test_remedies_and_help_show_commands_that_there_are() -> None:
    texts = [remedy for cause in (*causes(), UNEXPLAINED) for remedy in cause.remedies]
    texts += [each.fact for each in EXAMINATIONS.values()]
    texts.append(flags())
    refused = [problem(found["words"], whole=False) for text in texts for found in INLINE.finditer(text)]
    refused += [problem(words, whole=True) for words in typed(texts[-1])]
    assert [each for each in refused if each] == []


def options(command: click.Command = ovsnet) -> set[str]:
    """Of a command, and of those below it."""
    found = {"--help", "--version"} | {flag for each in command.params for flag in (*each.opts, *each.secondary_opts)}
    if isinstance(command, click.Group):
        context = click.Context(command)
        below = (command.get_command(context, name) for name in command.list_commands(context))
        found |= {flag for each in below if each is not None for flag in options(each)}
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_names_options_that_there_are(page: Path) -> None:
    named = set(FLAG.findall(page.read_text(encoding="utf-8")))
    assert named - options() - OF_OTHERS == set()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("chekc", "no command"),
        ("check --jsn", "No such option"),
        ("wait --for nothing", "is not one of"),
        ("wait", "Missing option"),
        ("check --timeout soon # comment", "is not a duration"),
    ],
)
def test_what_there_is_not_is_refused(words: str, why: str) -> None:
    assert why in problem(words, whole=True)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [each for each in links if "://" not in each and not (page.parent / each).exists()] == []

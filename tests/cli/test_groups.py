"""Summaries in the help of groups."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from ovsnet.cli.groups import CommandGroup, first_sentence


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("Do it. Then rest.", "Do it."),
        ("Do it: once, in\none line", "Do it: once, in one line"),
        ("Read ovs-vswitchd.log and br-int.mgmt.\n\nExit code 0.", "Read ovs-vswitchd.log and br-int.mgmt."),
        ("", ""),
        (None, ""),
    ],
)
def test_summary_is_the_first_sentence_of_the_help(text: str | None, first: str) -> None:
    assert first_sentence(click.Command("do", help=text)) == first


def test_summary_that_takes_two_lines_is_shown_whole() -> None:
    group = CommandGroup("all", commands=[click.Command("do", help="word " * 40 + "last.")])
    shown = CliRunner(env={"COLUMNS": "80"}).invoke(group, ["--help"]).output
    assert "last." in shown
    assert "..." not in shown.partition("Commands:")[2]

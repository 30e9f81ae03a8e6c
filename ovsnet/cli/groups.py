"""What the groups of commands have in common."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ovsnet.texts import likely

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class CommandGroup(click.Group):
    """Suggests the right name for a misspelt command, and shows the whole first sentence of each command, in help and
    in completion: click cuts it to one line."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, names = args[0], self.list_commands(ctx)
        if name not in names and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}. {likely(name, names, 'The commands')}")
        return super().resolve_command(ctx, args)

    def summaries(self, ctx: click.Context) -> Mapping[str, str]:
        """What each command does, by name."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        return {name: first_sentence(command) for name, command in found.items() if command is not None}

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries(ctx).items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem[Any]]:
        from click.shell_completion import CompletionItem  # needed only for completion

        named = self.summaries(ctx).items()
        found: list[CompletionItem[Any]] = [
            CompletionItem(name, help=text) for name, text in named if name.startswith(incomplete)
        ]
        return found + click.Command.shell_complete(self, ctx, incomplete)


def first_sentence(command: click.Command) -> str:
    """Of the help text."""
    text = inspect.cleandoc(command.help or "").partition("\n\n")[0]
    first, stop, _ = " ".join(text.split()).partition(". ")
    return first + stop.rstrip()

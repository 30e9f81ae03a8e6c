"""What the groups of commands have in common."""

from __future__ import annotations

import click

from ovsnet.texts import likely


class CommandGroup(click.Group):
    """Says which command a misspelt one may be."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, names = args[0], self.list_commands(ctx)
        if name not in names and not name.startswith("-") and not ctx.resilient_parsing:
            ctx.fail(f"No such command {name!r}. {likely(name, names, 'The commands')}")
        return super().resolve_command(ctx, args)
